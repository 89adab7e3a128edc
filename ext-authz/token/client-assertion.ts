// The assertion by which an application says who it is (RFC 7523 §2.2): signed anew for each request with a key that stays
// here. Entra and others read the same one: Entra knows the key by `x5t#S256`, most others by `kid`.

import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { Secret } from '#core/secret.ts';
import type { SigningCredential } from '#ext-authz/token/credential.ts';

/** Entra allows ten minutes at most. Longer than any request takes, and clocks may differ. */
const LIFETIME_SECONDS = 300;

/** @param about.audience the token endpoint or the issuer, as the provider wants it. */
export const signClientAssertion = async (
  { key, certificate, algorithm, keyId }: SigningCredential,
  about: { readonly clientId: string; readonly audience: string; readonly nowSeconds: number },
): Promise<Secret> => {
  const now = Math.floor(about.nowSeconds);
  const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
  const assertion = new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({
      alg: algorithm,
      typ: 'JWT',
      'x5t#S256': thumbprint,
      ...(keyId === undefined ? {} : { kid: keyId }),
    })
    .setIssuer(about.clientId)
    .setSubject(about.clientId)
    .setAudience(about.audience)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + LIFETIME_SECONDS);
  return new Secret(await assertion.sign(key));
};
