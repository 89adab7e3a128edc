// A publisher's keys are keys that verify what their `alg` says, each known by one name in the tenant, and what it may
// publish exists.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { PublicJwk, Publisher, PublisherKey } from '#core/publisher.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { publisherName } from '#registry/commands/resources.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';

/** NIST SP 800-131A: what is shorter can be factored by those who try. */
const MIN_RSA_BITS = 2_048;

const CURVES: Readonly<Partial<Record<PublicJwk['alg'], string>>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
};

const MEMBERS: Readonly<Record<PublicJwk['kty'], readonly (keyof PublicJwk)[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
};

const typeFor = (alg: PublicJwk['alg']): PublicJwk['kty'] => {
  if (alg === 'EdDSA') return 'OKP';
  return alg.startsWith('ES') ? 'EC' : 'RSA';
};

const readKey = ({ kty, crv, x, y, n, e }: PublicJwk): KeyObject | undefined => {
  try {
    return createPublicKey({ key: JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })), format: 'jwk' });
  } catch {
    return undefined;
  }
};

const judgeMembers = ({ kty, alg, crv, ...rest }: PublicJwk): Fault[] => {
  const given = Object.keys({ ...(crv === undefined ? {} : { crv }), ...rest });
  const needed: readonly string[] = MEMBERS[kty];
  const missing = needed.filter((name) => !given.includes(name));
  const foreign = given.filter((name) => ![...needed, 'use', 'kid'].includes(name));
  const curve = CURVES[alg];
  return [
    ...missing.map((name) => ({ pointer: `/${name}`, message: `is required for kty ${kty}` })),
    ...foreign.map((name) => ({ pointer: `/${name}`, message: `does not belong to kty ${kty}` })),
    ...(kty === typeFor(alg) ? [] : [{ pointer: '/alg', message: `${alg} needs kty ${typeFor(alg)}` }]),
    ...(curve === undefined || crv === undefined || crv === curve
      ? []
      : [{ pointer: '/crv', message: `${alg} needs ${curve}` }]),
  ];
};

const judgeNewJwk = (jwk: PublicJwk): Fault[] => {
  const faults = judgeMembers(jwk);
  if (faults.length > 0) return faults;
  const key = readKey(jwk);
  if (key === undefined) return [{ pointer: '', message: `is no public key of kty ${jwk.kty}` }];
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < MIN_RSA_BITS
    ? [{ pointer: '/n', message: `an RSA key has at least ${MIN_RSA_BITS} bits, this one ${bits}` }]
    : [];
};

// Reading a key costs more than all other rules together, and every change judges every key of its tenant.
const judged = new WeakMap<PublicJwk, Fault[]>();

const judgeJwk = (jwk: PublicJwk): readonly Fault[] => {
  const faults = judged.get(jwk) ?? judgeNewJwk(jwk);
  judged.set(jwk, faults);
  return faults;
};

const judgeTimes = ({ notBefore, notAfter }: PublisherKey): Fault[] => {
  const unreadable = Object.entries({ notBefore, notAfter }).flatMap(([field, text]) =>
    text !== undefined && Number.isNaN(Date.parse(text))
      ? [{ pointer: `/${field}`, message: 'is no moment of the calendar' }]
      : [],
  );
  const isBackward =
    notBefore !== undefined && notAfter !== undefined && Date.parse(notBefore) >= Date.parse(notAfter);
  return isBackward
    ? [...unreadable, { pointer: '/notAfter', message: 'is not after notBefore' }]
    : unreadable;
};

/** What is wrong with a registered key, with pointers that begin with `at`. */
export const judgeKey = (key: PublisherKey, at: string): Fault[] => [
  ...judgeJwk(key.jwk).map(({ pointer, message }) => ({ pointer: `${at}/jwk${pointer}`, message })),
  ...(key.jwk.kid === undefined || key.jwk.kid === key.kid
    ? []
    : [{ pointer: `${at}/jwk/kid`, message: 'differs from the kid of the entry' }]),
  ...judgeTimes(key).map(({ pointer, message }) => ({ pointer: `${at}${pointer}`, message })),
];

const judgePublisher = (tenant: Tenant, publisher: Publisher, taken: readonly string[]): Fault[] => [
  ...publisher.keys.flatMap((key, index) => [
    ...judgeKey(key, `/keys/${index}`),
    ...(taken.includes(key.kid)
      ? [{ pointer: `/keys/${index}/kid`, message: `${key.kid} names more than one key of the tenant` }]
      : []),
  ]),
  ...publisher.servers.flatMap((id, index) =>
    tenant.servers.some((server) => server.id === id)
      ? []
      : [{ pointer: `/servers/${index}`, message: `server ${id} does not exist` }],
  ),
];

/** Keys are what they say, a kid means one key of the tenant, and the servers exist. */
export const publisherRule: Rule = (tenant) => {
  const taken = repeated(tenant.publishers.flatMap(({ keys }) => keys.map(({ kid }) => kid)));
  return tenant.publishers.flatMap((publisher) =>
    judgePublisher(tenant, publisher, taken).map((fault) => ({
      ...fault,
      resource: publisherName(publisher.id),
    })),
  );
};
