// `npm run token-cache:rotate-key`: adds a key to the file of token cache keys, which is made with one if it does not exist.
// It seals the tokens to come.

import { addKey, createFileOnce } from '#runtime/key-file.ts';
import { runRotation } from '#runtime/rotate-key.ts';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';

runRotation('token-cache:rotate-key', {
  file: configuredTokenCacheKeyFile,
  add: (file, keep) => (createFileOnce(file.path, `${file.generate()}\n`) ? 1 : addKey(file, keep)),
});
