// What a careful upstream does with the token it is sent: signature, issuer, audience, time. The sample servers check
// like this so that the demo proves something: a token made for the gateway, or for the other server, opens nothing.

import { createHash } from 'node:crypto';
import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { err, ok, type Result } from '#core/result.ts';

/** Facts of a verified token; never the token. */
export type TokenFacts = {
  readonly kind: 'user' | 'app';
  readonly sub: string;
  readonly oid: string;
  readonly tid: string;
  /** Client that asked for the token (`azp`). */
  readonly app: string;
  readonly aud: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** First 16 hexadecimal characters of the token's SHA-256: enough to tell two tokens apart, useless for anything else. */
  readonly digest: string;
};

export type TokenCheck = (authorization: string | undefined) => Promise<Result<TokenFacts, string>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const words = (value: unknown): readonly string[] =>
  text(value)
    .split(' ')
    .filter((word) => word !== '');
const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

const factsFromClaims = (claims: JWTPayload, token: string, audience: string): TokenFacts => ({
  kind: claims['idtyp'] === 'app' ? 'app' : 'user',
  sub: text(claims.sub),
  oid: text(claims['oid']),
  tid: text(claims['tid']),
  app: text(claims['azp']),
  aud: audience,
  scopes: words(claims['scp']),
  roles: strings(claims['roles']),
  digest: createHash('sha256').update(token).digest('hex').slice(0, 16),
});

/**
 * A check for tokens made for one application.
 * @param options.issuers exact issuers accepted
 * @param options.audience client id of this server's own application
 * @returns a function from the Authorization header to the token's facts, or to why it was refused
 */
export const createTokenCheck = (options: {
  readonly issuers: readonly string[];
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
}): TokenCheck => {
  const { issuers, audience, keys } = options;
  return async (authorization) => {
    const token = /^Bearer ([\w.~+/-]+=*)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return err('a bearer token is required');
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: [...issuers],
        audience,
        requiredClaims: ['exp', 'iat', 'sub', 'tid'],
      });
      return ok(factsFromClaims(payload, token, audience));
    } catch (thrown) {
      return err(thrown instanceof Error ? thrown.message : 'the token could not be checked');
    }
  };
};

/** The check against the demo's identity provider. */
export const createDemoTokenCheck = (options: {
  readonly providerPort: number;
  readonly directories: readonly string[];
  readonly audience: string;
}): TokenCheck => {
  const origin = `http://127.0.0.1:${options.providerPort}`;
  return createTokenCheck({
    issuers: options.directories.map((tid) => `${origin}/${tid}/v2.0`),
    audience: options.audience,
    keys: createRemoteJWKSet(new URL(`${origin}/common/discovery/v2.0/keys`), { cooldownDuration: 1_000 }),
  });
};
