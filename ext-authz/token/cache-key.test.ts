// Two calls that differ in anything that shapes a token never share its key.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import { Secret } from '#core/secret.ts';
import { cacheKeys } from '#ext-authz/token/cache-key.ts';
import type { ExchangePlan } from '#ext-authz/token/plan.ts';

const BASE = {
  tenantId: 'default',
  issuerId: 'contoso',
  issuer: 'https://issuer.example/v2.0',
  principal: 'p',
  subject: 's',
  tid: 't',
  oid: 'o',
  actor: 'a',
  assurance: 'c1',
  assertion: 'assertion',
  tokenEndpoint: 'https://issuer.example/token',
  clientId: 'client',
  secretName: 'secret',
  scope: 'api://x/.default',
  kind: 'obo' as 'obo' | 'client-credentials',
};
type Parts = typeof BASE;

const keysOf = (parts: Parts) => {
  const identity: Identity = {
    principal: parts.principal,
    kind: 'user',
    issuerId: parts.issuerId,
    issuer: parts.issuer,
    audience: 'audience',
    relation: 'home',
    subject: parts.subject,
    tid: parts.tid,
    oid: parts.oid,
    groups: [],
    roles: [],
    scopes: [],
    actor: parts.actor,
    guest: false,
    assurance: [parts.assurance],
    claimsChallenges: false,
    issuedAt: 0,
    expiresAt: 1,
  };
  const plan: ExchangePlan = {
    kind: parts.kind,
    application: { clientId: parts.clientId, secretName: parts.secretName },
    tokenEndpoint: parts.tokenEndpoint,
    directory: parts.tid,
    scopes: [parts.scope],
  };
  return cacheKeys({ tenantId: parts.tenantId, identity, assertion: new Secret(parts.assertion), plan });
};

/** Short texts of the characters that fool naive joining, so that collisions would be found. */
const tricky = fc.string({
  unit: fc.constantFrom('a', ':', '"', ',', '[', ']', '\\', ' ', '|'),
  maxLength: 4,
});
const anyParts: fc.Arbitrary<Parts> = fc.record({
  ...(Object.fromEntries(Object.keys(BASE).map((name) => [name, tricky])) as Record<
    Exclude<keyof Parts, 'kind'>,
    typeof tricky
  >),
  kind: fc.constant('obo' as const),
});

describe('cacheKeys()', () => {
  it('gives one call one key', () => {
    expect(keysOf(BASE)).toEqual(keysOf({ ...BASE }));
  });

  it.each(Object.keys(BASE).filter((name) => name !== 'kind'))('tells calls apart by %s', (name) => {
    expect(keysOf({ ...BASE, [name]: 'other' }).caller).not.toBe(keysOf(BASE).caller);
  });

  it('never gives two different calls one key', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(keysOf(one).caller).not.toBe(keysOf(other).caller);
      }),
      { numRuns: 2_000 },
    );
  });

  it('cannot be fooled by a separator that moves from one part to the next', () => {
    const one = keysOf({ ...BASE, tenantId: 'a:b', issuerId: 'c' });
    const other = keysOf({ ...BASE, tenantId: 'a', issuerId: 'b:c' });
    expect(one.caller).not.toBe(other.caller);
  });

  it('shares the token of an application among its callers, and never with a delegated one', () => {
    const one = keysOf({ ...BASE, kind: 'client-credentials' });
    expect(keysOf({ ...BASE, kind: 'client-credentials', principal: 'q', assertion: 'z' }).caller).toBe(
      one.caller,
    );
    expect(one.caller).not.toBe(keysOf(BASE).caller);
  });

  it('keeps the assertion out of every key', () => {
    expect(JSON.stringify(keysOf(BASE))).not.toContain(BASE.assertion);
  });
});
