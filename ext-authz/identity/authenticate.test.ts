// Unit tests of authenticate.ts, jwt.ts, token-times.ts and token-cache.ts with real keys and a real key server.
import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { SignatureAlgorithm } from '#core/signature-algorithm.ts';
import type { Tenant } from '#core/tenant.ts';
import { type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import {
  createTestKey,
  entraClaims,
  entraIssuer,
  NOW,
  OTHER_TID,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  testTenant,
} from '#test/support/token-issuer.ts';

const key = createTestKey('a');

let bench: IdentityBench;

beforeEach(async () => {
  bench = await startIdentityBench([publishKey(key)]);
});

afterEach(() => bench.stop());

const issuers = (changes: Partial<TrustedIssuer> = {}): TrustedIssuer[] => [
  entraIssuer(bench.keyServer.url, changes),
  oidcIssuer(bench.keyServer.url, changes),
];

const outcomeOf = (
  token: string,
  { tenant = testTenant(issuers()), nowSeconds = NOW }: { tenant?: Tenant; nowSeconds?: number } = {},
): Promise<string> => bench.outcomeOf(token, tenant, nowSeconds);

const cacheCounts = async (): Promise<Record<string, number>> => {
  const { body } = await bench.metrics.render();
  const lines = [...body.matchAll(/verified_token_cache_total\{outcome="(\w+)".*\} (\d+)/g)];
  return Object.fromEntries(lines.map(([, outcome, count]) => [outcome, Number(count)]));
};

describe('authenticate()', () => {
  it('yields the identity and the token itself', async () => {
    const token = await signWith(key, entraClaims());
    const result = await bench.authenticate([`Bearer ${token}`], testTenant(issuers()));
    if (!result.ok) throw new Error(result.error.reason);
    expect(result.value.identity).toMatchObject({ issuerId: 'entra', name: 'Test Person' });
    expect(result.value.token.reveal()).toBe(token);
    expect(JSON.stringify(result)).not.toContain(token);
  });

  it.each<[string, SignatureAlgorithm, () => ReturnType<typeof generateKeyPairSync>]>([
    ['RS256', 'RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['PS256', 'PS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', 'ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', 'ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['EdDSA', 'EdDSA', () => generateKeyPairSync('ed25519')],
  ])('verifies %s where the issuer is set so, and only there', async (_title, algorithm, generate) => {
    const pair = generate();
    bench.keyServer.answer.body = JSON.stringify({
      keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'n' }],
    });
    const token = await new SignJWT(oidcClaims())
      .setProtectedHeader({ alg: algorithm, kid: 'n' })
      .sign(pair.privateKey);
    expect(await outcomeOf(token, { tenant: testTenant(issuers({ algorithms: [algorithm] })) })).toBe('user');
    const other = algorithm === 'ES256' ? 'RS256' : 'ES256';
    expect(await outcomeOf(token, { tenant: testTenant(issuers({ algorithms: [other] })) })).toBe(
      'token_algorithm_refused',
    );
  });

  it('checks the type of the token where the issuer has one', async () => {
    const tenant = testTenant(issuers({ tokenType: 'at+jwt' }));
    const claims = oidcClaims();
    expect(await outcomeOf(await signWith(key, claims, { typ: 'at+jwt' }), { tenant })).toBe('user');
    expect(await outcomeOf(await signWith(key, claims, { typ: 'JWT' }), { tenant })).toBe('claims_invalid');
  });

  it('waits for keys that cannot be had no longer than one fetch, and says so', async () => {
    bench.keyServer.answer = { status: 503, body: '' };
    expect(await outcomeOf(await signWith(key, entraClaims()))).toBe('keys_unavailable');
    expect(await outcomeOf(await signWith(key, entraClaims()))).toBe('keys_unavailable');
    expect(bench.keyServer.hits).toBe(1);
  });

  it('asks the key server at most twice for a thousand tokens with unknown keys', async () => {
    expect(await outcomeOf(await signWith(key, entraClaims()))).toBe('user');
    bench.advance(31_000);
    const stranger = createTestKey('x');
    const tokens = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => signWith(stranger, entraClaims(), { kid: `x-${i}` })),
    );
    const outcomes = await Promise.all(tokens.map((token) => outcomeOf(token)));
    expect(new Set(outcomes)).toEqual(new Set(['key_unknown']));
    expect(bench.keyServer.hits).toBeLessThanOrEqual(2);
  }, 20_000);

  it('accepts tokens of a key that was rotated in, and no longer those of the one rotated out', async () => {
    const before = await signWith(key, entraClaims());
    expect(await outcomeOf(before)).toBe('user');
    const next = createTestKey('b');
    bench.keyServer.answer.body = JSON.stringify({ keys: [publishKey(next)] });
    bench.advance(31_000);
    expect(await outcomeOf(await signWith(next, entraClaims()))).toBe('user');
    expect(await outcomeOf(before)).toBe('key_unknown');
  });

  it('goes on during an outage of the provider', async () => {
    expect(await outcomeOf(await signWith(key, entraClaims()))).toBe('user');
    await bench.keyServer.stop();
    bench.advance(86_400_000);
    await bench.keySets.refreshDue();
    expect(await outcomeOf(await signWith(key, entraClaims({ uti: 'another' })))).toBe('user');
  });
});

describe('the cache of verified tokens', () => {
  it('verifies a token once for one server of one tenant', async () => {
    const token = await signWith(key, entraClaims());
    // The first result is remembered under no revision, because no key was known before it.
    for (let i = 0; i < 5; i += 1) expect(await outcomeOf(token)).toBe('user');
    expect(await cacheCounts()).toEqual({ miss: 2, hit: 3 });
    const other = { ...testTenant(issuers()), id: 'other' };
    expect(await outcomeOf(token, { tenant: other })).toBe('user');
    expect(await cacheCounts()).toEqual({ miss: 3, hit: 3 });
  });

  it('judges the times of a token anew at each hit', async () => {
    const token = await signWith(key, entraClaims());
    for (let i = 0; i < 3; i += 1) await outcomeOf(token, { nowSeconds: NOW + 3600 });
    expect(await outcomeOf(token, { nowSeconds: NOW + 3629 })).toBe('user');
    expect(await outcomeOf(token, { nowSeconds: NOW + 3630 })).toBe('token_expired');
    expect(await outcomeOf(token, { nowSeconds: NOW - 120 })).toBe('token_not_yet_valid');
    expect((await cacheCounts())['hit']).toBeGreaterThanOrEqual(2);
  });

  it('ends with the time of the key, though the token lives on', async () => {
    const brief = await startIdentityBench([publishKey(key, { exp: NOW + 100 })]);
    const tenant = testTenant([entraIssuer(brief.keyServer.url)]);
    const token = await signWith(key, entraClaims());
    for (const second of [0, 1, 99]) expect(await brief.outcomeOf(token, tenant, NOW + second)).toBe('user');
    brief.advance(100_000);
    expect(await brief.outcomeOf(token, tenant, NOW + 100)).toBe('key_unknown');
    await brief.stop();
  });

  it('verifies again after five minutes', async () => {
    const token = await signWith(key, entraClaims());
    await outcomeOf(token);
    await outcomeOf(token);
    await outcomeOf(token, { nowSeconds: NOW + 300 });
    expect(await cacheCounts()).toEqual({ miss: 2, hit: 1 });
    await outcomeOf(token, { nowSeconds: NOW + 301 });
    expect(await cacheCounts()).toEqual({ miss: 3, hit: 1 });
  });

  it.each<[string, (tenant: Tenant) => Tenant, string]>([
    [
      'the issuer is disabled',
      (t) => ({ ...t, issuers: t.issuers.map((i) => ({ ...i, enabled: false })) }),
      'issuer_unknown',
    ],
    [
      'its directory is taken off the list',
      (t) => ({ ...t, issuers: t.issuers.map((i) => ({ ...i, directoryTenants: [OTHER_TID] })) }),
      'directory_tenant_refused',
    ],
    [
      'its algorithm is no longer accepted',
      (t) => ({ ...t, issuers: t.issuers.map((i) => ({ ...i, algorithms: ['ES256'] as const })) }),
      'token_algorithm_refused',
    ],
    [
      'the server takes another audience',
      (t) => ({
        ...t,
        servers: t.servers.map((s) => ({
          ...s,
          bindings: s.bindings.map((b) => ({ ...b, audiences: ['other'] })),
        })),
      }),
      'audience_mismatch',
    ],
    [
      'the server asks for another scope',
      (t) => ({
        ...t,
        servers: t.servers.map((s) => ({
          ...s,
          bindings: s.bindings.map((b) => ({ ...b, requiredScopes: ['other'] })),
        })),
      }),
      'scope_insufficient',
    ],
    [
      'the server is no longer bound to the issuer',
      (t) => ({ ...t, servers: t.servers.map((s) => ({ ...s, bindings: [] })) }),
      'issuer_unknown',
    ],
  ])('does not outlive its settings: %s', async (_title, change, reason) => {
    const token = await signWith(key, entraClaims());
    const tenant = testTenant(issuers());
    for (let i = 0; i < 3; i += 1) expect(await outcomeOf(token, { tenant })).toBe('user');
    expect(await outcomeOf(token, { tenant: change(tenant) })).toBe(reason);
  });

  it('survives a change of the tenant that has nothing to do with it', async () => {
    const token = await signWith(key, entraClaims());
    await outcomeOf(token);
    await outcomeOf(token);
    const copy = structuredClone({ ...testTenant(issuers()), revision: 2, displayName: 'New' });
    expect(await outcomeOf(token, { tenant: copy })).toBe('user');
    expect(await cacheCounts()).toEqual({ miss: 2, hit: 1 });
  });
});
