// Secrets of the applications that exchange tokens: one file each, named by the registry, readable by us alone.
// Read anew for every exchange, which is rare, so a rotated secret is used at once and none lies in memory.

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';

export type SecretFault = 'name_invalid' | 'missing' | 'readable_by_others' | 'empty' | 'too_large';

export type SecretStore = { read(name: string): Promise<Result<Secret, SecretFault>> };

/** The name comes from the registry: it must not be able to leave the directory. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const MAX_BYTES = 16 * 1024;
const GROUP_AND_OTHERS = 0o077;

const readOpen = async (file: FileHandle): Promise<Result<Secret, SecretFault>> => {
  // The open file is judged, not the name: nothing can be swapped in between.
  const { mode, size } = await file.stat();
  if ((mode & GROUP_AND_OTHERS) !== 0) return err('readable_by_others');
  if (size > MAX_BYTES) return err('too_large');
  // Editors and `echo` end a file with a newline that is no part of the secret.
  const text = (await file.readFile('utf8')).replace(/\r?\n$/, '');
  return text === '' ? err('empty') : ok(new Secret(text));
};

/** Secrets in the files of one directory (SECRETS_DIRECTORY). */
export const createSecretStore = (directory: string): SecretStore => ({
  read: async (name) => {
    if (!NAME.test(name)) return err('name_invalid');
    let file: FileHandle | undefined;
    try {
      file = await open(join(directory, name), 'r');
      return await readOpen(file);
    } catch {
      return err('missing');
    } finally {
      await file?.close();
    }
  },
});
