// Certificate, key and authorities of this process as they lie on the disk: read whole, believed only if they belong
// together, and looked at again and again, so that renewed ones are taken up where they are renamed into place.

import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { err, ok, type Result } from '#core/result.ts';

export type TlsFiles = {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
};

export type TlsMaterial = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Of the same, for whoever dials. */
  readonly context: SecureContext;
  /** Of all three files. */
  readonly digest: string;
  /** When the certificate ends, ms since the epoch. */
  readonly validToMs: number;
};

const read = async (file: string): Promise<Result<string, string>> =>
  readFile(file, 'utf8').then(ok, () => err(`${file} cannot be read`));

/** Whether PEM holds at least one certificate; `createSecureContext` takes an authority file without any. */
const hasCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
};

/** The error names files and no content of theirs. */
export const readTlsFiles = async (files: TlsFiles): Promise<Result<TlsMaterial, string>> => {
  const [cert, key, ca] = await Promise.all([files.certificateFile, files.keyFile, files.caFile].map(read));
  if (!cert?.ok || !key?.ok || !ca?.ok)
    return [cert, key, ca].find((each) => !each?.ok) as Result<never, string>;
  if (!hasCertificate(cert.value)) return err(`${files.certificateFile} holds no certificate`);
  if (!hasCertificate(ca.value)) return err(`${files.caFile} holds no certificate`);
  const pem = { cert: cert.value, key: key.value, ca: ca.value };
  try {
    // Refuses a key that is not the certificate's: the moment between two files that are renewed one after another.
    const context = createSecureContext({ ...pem, minVersion: 'TLSv1.2' });
    const digest = createHash('sha256').update(JSON.stringify(pem)).digest('hex');
    return ok({ ...pem, context, digest, validToMs: Date.parse(new X509Certificate(pem.cert).validTo) });
  } catch {
    return err(`${files.keyFile} is not the key of ${files.certificateFile}`);
  }
};
