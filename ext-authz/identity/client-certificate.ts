// Whether the certificate of a connection is the one a token is bound to (RFC 8705 §3). Envoy has verified it against the
// operator's authorities and seen its key used; here it is only told which one it is.

import { createHash, X509Certificate } from 'node:crypto';
import { type Deny, deny } from '#core/decision.ts';

/**
 * @param pem of the connection the call came by; undefined where there is none.
 * @param thumbprint `cnf.x5t#S256` of the token: SHA-256 of the certificate in DER, base64url.
 * @returns undefined if they are the same, else token_certificate_missing or token_certificate_mismatch.
 */
export const judgeCertificate = (pem: string | undefined, thumbprint: string): Deny | undefined => {
  if (pem === undefined) return deny('token_certificate_missing');
  const { raw } = new X509Certificate(pem);
  return createHash('sha256').update(raw).digest('base64url') === thumbprint
    ? undefined
    : deny('token_certificate_mismatch');
};
