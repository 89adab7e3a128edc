// Writes the documents that lead Envoy to the certificate files of mutual TLS with our services.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildInternalSecrets, type InternalSecretFiles } from '#envoy/internal-tls.ts';
import type { TlsFiles } from '#runtime/tls/tls-files.ts';

/** @returns where they are. They hold paths, no keys. */
export const writeInternalSecrets = async (
  directory: string,
  files: TlsFiles,
): Promise<InternalSecretFiles> => {
  const places = {
    certificate: join(directory, 'internal-certificate.json'),
    authorities: join(directory, 'internal-authorities.json'),
  };
  const secrets = buildInternalSecrets(files);
  await writeFile(places.certificate, JSON.stringify(secrets.certificate), { mode: 0o600 });
  await writeFile(places.authorities, JSON.stringify(secrets.authorities), { mode: 0o600 });
  return places;
};
