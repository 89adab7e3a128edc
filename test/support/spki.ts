// The digest of a certificate's public key, as an operator computes it with OpenSSL.

import { createHash, X509Certificate } from 'node:crypto';

/** Base64 of the SHA-256 of the SubjectPublicKeyInfo. */
export const spkiOf = (certificate: string): string => {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
};
