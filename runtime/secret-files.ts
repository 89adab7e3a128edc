// Secrets of the gateway's applications at identity providers: one file each, named by the registry, readable by us alone. A tenant
// reaches its own only: it also says where a secret is sent, so naming another's would be enough to be handed it.
// Read anew for every exchange, which is rare, so a rotated secret is used at once and none lies in memory.

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ID_PATTERN } from '#core/endpoint-path.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { DEFAULT_TENANT } from '#core/tenant.ts';

export type SecretFault = 'name_invalid' | 'missing' | 'readable_by_others' | 'empty' | 'too_large';

export type SecretStore = { read(tenantId: string, name: string): Promise<Result<Secret, SecretFault>> };

/** As the registry takes it (registry/feed/schema/server-schema.ts): no name can leave its directory. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const TENANT_ID = new RegExp(ID_PATTERN);
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

/**
 * Secrets in files (SECRETS_DIRECTORY): those of the default tenant in the directory itself, as its endpoints need no
 * prefix; those of any other in a directory of its id.
 */
export const createSecretStore = (directory: string): SecretStore => ({
  read: async (tenantId, name) => {
    if (!NAME.test(name) || !TENANT_ID.test(tenantId)) return err('name_invalid');
    const home = tenantId === DEFAULT_TENANT ? directory : join(directory, tenantId);
    let file: FileHandle | undefined;
    try {
      file = await open(join(home, name), 'r');
      return await readOpen(file);
    } catch {
      return err('missing');
    } finally {
      await file?.close();
    }
  },
});
