// The credentials with which the gateway's applications ask for tokens, as files only their owner can read: the same
// form in which production gets its own from a secret store.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATIONS } from '#demo/directory.ts';

/** Writes one file per application of the gateway, named as its `secretName`. */
export const writeSecretFiles = (directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const { name, secret } of APPLICATIONS) {
    if (secret === undefined || !name.startsWith('gateway-')) continue;
    const file = join(directory, name);
    writeFileSync(file, secret, { mode: 0o600 });
    // The mode above counts only for a new file.
    chmodSync(file, 0o600);
  }
};
