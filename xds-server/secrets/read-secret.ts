// One secret of an upstream as it lies on the disk: read whole, and believed only if nobody else could have read its key
// or written its certificates, and the parts belong together. What is wrong is a word, never what was read.

import { createHash, X509Certificate } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ID_PATTERN } from '#core/endpoint-path.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import type { SecretMaterial, SecretRef } from '#xds-server/translate/secrets.ts';

export type SecretFault =
  | 'name_invalid'
  | 'missing'
  | 'readable_by_others'
  | 'writable_by_others'
  | 'too_large'
  | 'no_certificate'
  | 'key_of_another_certificate';

export type FoundSecret = {
  readonly material: SecretMaterial;
  /** The same for the same files. */
  readonly digest: string;
  /** When the first of its certificates ends, ms since the epoch. */
  readonly validToMs: number;
};

/** As the registry takes it (registry/feed/schema/words.ts): no name can leave its directory. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const TENANT_ID = new RegExp(ID_PATTERN);
const MAX_BYTES = 256 * 1024;

/** What nobody but the owner may do with a file. */
const FORBIDDEN = { key: 0o077, certificate: 0o022 } as const;

const readOpen = async (
  file: FileHandle,
  kind: keyof typeof FORBIDDEN,
): Promise<Result<string, SecretFault>> => {
  // The open file is judged, not the name: nothing can be swapped in between.
  const { mode, size } = await file.stat();
  if ((mode & FORBIDDEN[kind]) !== 0)
    return err(kind === 'key' ? 'readable_by_others' : 'writable_by_others');
  return size > MAX_BYTES ? err('too_large') : ok(await file.readFile('utf8'));
};

const readPem = async (path: string, kind: keyof typeof FORBIDDEN): Promise<Result<string, SecretFault>> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await readOpen(file, kind);
  } catch {
    return err('missing');
  } finally {
    await file?.close();
  }
};

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** When the first of the certificates ends; undefined if there is none, or one cannot be read. */
const firstEnd = (pem: string): number | undefined => {
  try {
    const ends = (pem.match(BLOCK) ?? []).map((block) => Date.parse(new X509Certificate(block).validTo));
    return ends.length === 0 ? undefined : Math.min(...ends);
  } catch {
    return undefined;
  }
};

/** Refuses a key that is not the certificate's: the moment between two files that are renewed one after another. */
const belongTogether = (cert: string, key: string): boolean => {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
};

const found = (material: SecretMaterial, texts: readonly string[], validToMs: number): FoundSecret => ({
  material,
  digest: createHash('sha256').update(JSON.stringify(texts)).digest('hex'),
  validToMs,
});

const readCa = async (base: string): Promise<Result<FoundSecret, SecretFault>> => {
  const ca = await readPem(`${base}.ca`, 'certificate');
  if (!ca.ok) return ca;
  const end = firstEnd(ca.value);
  return end === undefined
    ? err('no_certificate')
    : ok(found({ use: 'ca', certificates: ca.value }, [ca.value], end));
};

const readCertificate = async (base: string): Promise<Result<FoundSecret, SecretFault>> => {
  const [certificate, key] = await Promise.all([
    readPem(`${base}.crt`, 'certificate'),
    readPem(`${base}.key`, 'key'),
  ]);
  if (!certificate.ok) return certificate;
  if (!key.ok) return key;
  const end = firstEnd(certificate.value);
  if (end === undefined) return err('no_certificate');
  if (!belongTogether(certificate.value, key.value)) return err('key_of_another_certificate');
  const material = {
    use: 'certificate',
    certificate: certificate.value,
    key: new Secret(key.value),
  } as const;
  return ok(found(material, [certificate.value, key.value], end));
};

/**
 * The files of a secret: `{name}.crt` with `{name}.key`, or `{name}.ca`. Those of the default tenant lie in the directory
 * itself, as its endpoints need no prefix; those of any other in a directory of its id, so that no tenant reaches
 * another's.
 */
export const readSecret = (
  directory: string,
  { use, tenantId, name }: Omit<SecretRef, 'serverId'>,
): Promise<Result<FoundSecret, SecretFault>> => {
  if (!NAME.test(name) || !TENANT_ID.test(tenantId)) return Promise.resolve(err('name_invalid'));
  const base = join(tenantId === DEFAULT_TENANT ? directory : join(directory, tenantId), name);
  return use === 'ca' ? readCa(base) : readCertificate(base);
};
