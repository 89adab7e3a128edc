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

const groupsOf = (person: number): readonly number[] => {
  const step = Math.floor(GROUPS / GROUPS_OF_CALLER);
  return Array.from({ length: GROUPS_OF_CALLER }, (_, index) => (person + index * step) % GROUPS);
};

const toolsOf = (person: number): readonly number[] => groupsOf(person).flatMap(toolsOfGroup);

/** Everybody of a role is in the same groups: for a peer that gives each caller one role, and knows of no groups. */
const roleOf = (person: number): string => `role-${person % GROUPS}`;

/** All roles, and the numbers of the tools that whoever has one may use. */
export const ROLES: Readonly<Record<string, readonly number[]>> = Object.fromEntries(
  Array.from({ length: GROUPS }, (_, person) => [roleOf(person), toolsOf(person)]),
);

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signed = (key: KeyObject, kid: string, claims: object): string => {
  const text = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
};

type Minted = { readonly token: number; readonly person: number; readonly audiences: readonly string[] };

const claimsOf = ({ token, person, audiences }: Minted, nowSeconds: number): object => ({
  iss: ISSUER,
  aud: audiences,
  sub: `user-${person}`,
  azp: 'agent',
  jti: `token-${token}`,
  scope: `openid ${SCOPE}`,
  name: `Person ${person}`,
  groups: groupsOf(person).map(groupName),
  role: roleOf(person),
  iat: nowSeconds - 60,
  exp: nowSeconds + LIFETIME_SECONDS,
});

/**
 * Starts the issuer's key server on loopback.
 * @param otherAudiences whom the tokens are for beside the product.
 */
export const startCallers = async (otherAudiences: readonly string[] = []): Promise<Callers> => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const kid = 'bench';
  const published = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
  const server = await startKeyServer([published]);
  const audiences = [AUDIENCE, ...otherAudiences];
  let minted = 0;
  const mintOne = (person: number): Caller => {
    minted += 1;
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const claims = claimsOf({ token: minted, person, audiences }, nowSeconds);
    return { token: signed(key, kid, claims), tools: toolsOf(person) };
  };
  return {
    keySet: JSON.stringify({ keys: [published] }),
    jwksUri: server.url,
    mint: (people, count = people) => Array.from({ length: count }, (_, index) => mintOne(index % people)),
    stop: () => server.stop(),
  };
};
