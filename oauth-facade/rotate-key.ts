// `npm run oauth-facade:rotate-key`: adds a key to the file of the façade's keys. It seals what is handed out from then on.

import { configuredFacadeKeyFile } from '#oauth-facade/facade-keys.ts';
import { addKey } from '#runtime/key-file.ts';
import { runRotation } from '#runtime/rotate-key.ts';

runRotation('oauth-facade:rotate-key', { file: configuredFacadeKeyFile, add: addKey });
