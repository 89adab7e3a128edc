// Two calls that differ in anything that shapes a token never share its key.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '#core/canonical-json.ts';
import { CREDENTIAL_KINDS } from '#core/client-credential.ts';
import type { Identity } from '#core/identity.ts';
import { RESOURCE_PARAMETERS, type ResourceParameter } from '#core/issuer.ts';
import { Secret } from '#core/secret.ts';
import { cacheKeys } from '#ext-authz/token/cache-key.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';

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
  directory: 'd',
  clientId: 'client',
  credential: 'secret',
  keyId: 'k1',
  scope: 'api://x/.default',
  resource: 'https://x.example',
  assertionAudience: 'https://issuer.example',
  expectedAudience: 'https://x.example',
};
type Choices = Pick<ExchangePlan, 'kind' | 'requestedTokenType' | 'actor'> & {
  readonly credentialKind: (typeof CREDENTIAL_KINDS)[number];
  readonly sentAs: readonly ResourceParameter[];
};
const CHOICES: Choices = { kind: 'obo', credentialKind: 'secret', sentAs: ['resource'] };
type Parts = typeof BASE;

const keysOf = (parts: Parts, choices: Choices = CHOICES) => {
  const { credentialKind, sentAs, ...chosen } = choices;
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
    ...chosen,
    application: {
      clientId: parts.clientId,
      credential: { kind: credentialKind, name: parts.credential, keyId: parts.keyId },
    },
    tokenEndpoint: parts.tokenEndpoint,
    directory: parts.directory,
    scopes: parts.scope.split('|'),
    resource: { name: parts.resource, sentAs },
    assertionAudience: parts.assertionAudience,
    expectedAudience: parts.expectedAudience,
  };
  return cacheKeys({ tenantId: parts.tenantId, identity, assertion: new Secret(parts.assertion), plan });
};

/** Short texts of the characters that fool naive joining, so that collisions would be found. */
const tricky = fc.string({
  unit: fc.constantFrom('a', ':', '"', ',', '[', ']', '\\', ' ', '|'),
  maxLength: 4,
});
const anyParts = fc.record(
  Object.fromEntries(Object.keys(BASE).map((name) => [name, tricky])),
) as fc.Arbitrary<Parts>;
const anyChoices: fc.Arbitrary<Choices> = fc.record(
  {
    kind: fc.constantFrom('obo' as const, 'token-exchange' as const),
    credentialKind: fc.constantFrom(...CREDENTIAL_KINDS),
    sentAs: fc.subarray([...RESOURCE_PARAMETERS]),
    requestedTokenType: fc.constantFrom('access_token' as const, 'jwt' as const),
    actor: fc.constant('application' as const),
  },
  { requiredKeys: ['kind', 'credentialKind', 'sentAs'] },
);

describe('cacheKeys()', () => {
  it('gives one call one key', () => {
    expect(keysOf(BASE)).toEqual(keysOf({ ...BASE }));
  });

  it.each(Object.keys(BASE))('tells calls apart by %s', (name) => {
    expect(keysOf({ ...BASE, [name]: 'other' }).caller).not.toBe(keysOf(BASE).caller);
  });

  it.each<Partial<Choices>>([
    { kind: 'token-exchange' },
    { kind: 'client-credentials' },
    { requestedTokenType: 'jwt' },
    { actor: 'application' },
    { credentialKind: 'certificate' },
    { sentAs: ['audience'] },
    { sentAs: ['resource', 'audience'] },
  ])('tells calls apart by %j', (choice) => {
    expect(keysOf(BASE, { ...CHOICES, ...choice }).caller).not.toBe(keysOf(BASE).caller);
  });

  it('gives two calls one key exactly where they are the same', () => {
    fc.assert(
      fc.property(anyParts, anyChoices, anyParts, anyChoices, (one, how, other, otherHow) => {
        const isSame = canonicalJson([one, how]) === canonicalJson([other, otherHow]);
        expect(keysOf(one, how).caller === keysOf(other, otherHow).caller).toBe(isSame);
        expect(keysOf({ ...one }, { ...how })).toEqual(keysOf(one, how));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives calls that differ in one text only two keys, whatever the texts are', () => {
    fc.assert(
      fc.property(
        anyParts,
        anyChoices,
        fc.constantFrom(...Object.keys(BASE)),
        tricky,
        (one, how, name, text) => {
          const other = { ...one, [name]: text };
          expect(keysOf(other, how).caller === keysOf(one, how).caller).toBe(
            one[name as keyof Parts] === text,
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('cannot be fooled by a separator that moves from one part to the next', () => {
    const one = keysOf({ ...BASE, tenantId: 'a:b', issuerId: 'c' });
    const other = keysOf({ ...BASE, tenantId: 'a', issuerId: 'b:c' });
    expect(one.caller).not.toBe(other.caller);
  });

  it('shares the token of an application among its callers, and never with a delegated one', () => {
    const own: Choices = { ...CHOICES, kind: 'client-credentials' };
    const one = keysOf(BASE, own);
    expect(keysOf({ ...BASE, principal: 'q', assertion: 'z' }, own).caller).toBe(one.caller);
    expect(one.caller).not.toBe(keysOf(BASE).caller);
  });

  it('keeps the assertion out of every key', () => {
    expect(JSON.stringify(keysOf(BASE))).not.toContain(BASE.assertion);
  });
});
