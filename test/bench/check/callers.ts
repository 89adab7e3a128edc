// The people who call in a benchmark, and the issuer that vouches for them: ES256, signed here by node:crypto, because a
// fresh token for each of thousands of calls has to cost less than the call.

import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { AUDIENCE, GROUPS, groupName, ISSUER, SCOPE, toolsOfGroup } from '#test/bench/check/tenant.ts';
import { startKeyServer } from '#test/support/token-issuer.ts';

/** Long enough for any run. */
const LIFETIME_SECONDS = 12 * 3_600;

/** A caller is in so many groups, far apart from each other. */
const GROUPS_OF_CALLER = 3;

export type Caller = {
  readonly token: string;
  /** Numbers of the tools he may use. */
  readonly tools: readonly number[];
};

export type Callers = {
  /** The issuer's key set as it is published. */
  readonly keySet: string;
  /** Where it is published. */
  readonly jwksUri: string;
  /** Tokens nobody has seen, one for each of so many people in turn; the same people each time it is called. */
  mint(people: number, count?: number): readonly Caller[];
  stop(): Promise<void>;
};

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signed = (key: KeyObject, kid: string, claims: object): string => {
  const text = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
};

const claimsOf = (
  { token, person }: { readonly token: number; readonly person: number },
  groups: readonly number[],
  nowSeconds: number,
): object => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: `user-${person}`,
  azp: 'agent',
  jti: `token-${token}`,
  scope: `openid ${SCOPE}`,
  name: `Person ${person}`,
  groups: groups.map(groupName),
  iat: nowSeconds - 60,
  exp: nowSeconds + LIFETIME_SECONDS,
});

/** Starts the issuer's key server on loopback. */
export const startCallers = async (): Promise<Callers> => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const kid = 'bench';
  const published = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
  const server = await startKeyServer([published]);
  let minted = 0;
  const mintOne = (person: number): Caller => {
    minted += 1;
    const step = Math.floor(GROUPS / GROUPS_OF_CALLER);
    const groups = Array.from({ length: GROUPS_OF_CALLER }, (_, index) => (person + index * step) % GROUPS);
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const claims = claimsOf({ token: minted, person }, groups, nowSeconds);
    return { token: signed(key, kid, claims), tools: groups.flatMap(toolsOfGroup) };
  };
  return {
    keySet: JSON.stringify({ keys: [published] }),
    jwksUri: server.url,
    mint: (people, count = people) => Array.from({ length: count }, (_, index) => mintOne(index % people)),
    stop: () => server.stop(),
  };
};
