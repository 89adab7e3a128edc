// The id token of a sign-in (OpenID Connect Core §2): for the client itself, about who signed in.

import { importJWK, type JWK, SignJWT } from 'jose';
import type { CodeFacts } from '#demo/mini-entra/codes.ts';

/** Seconds it may be used for. */
const LIFETIME_SECONDS = 3600;

export const signIdToken = async (
  { client, user, tid, nonce }: CodeFacts,
  { issuer, key, nowSeconds }: { readonly issuer: string; readonly key: JWK; readonly nowSeconds: number },
): Promise<string> =>
  new SignJWT({
    ver: '2.0',
    iss: issuer,
    aud: client.clientId,
    sub: user.oid,
    tid,
    oid: user.oid,
    name: user.displayName,
    ...(nonce === undefined ? {} : { nonce }),
    iat: nowSeconds,
    exp: nowSeconds + LIFETIME_SECONDS,
  })
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .sign(await importJWK(key, 'RS256'));
