// `npm run session:rotate-key`: adds a key to the file of session keys. It seals the sessions to come.

import { addKey } from '#runtime/key-file.ts';
import { runRotation } from '#runtime/rotate-key.ts';
import { configuredSessionKeyFile } from '#runtime/session-keys.ts';

runRotation('session:rotate-key', { file: configuredSessionKeyFile, add: addKey });
