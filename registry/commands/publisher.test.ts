import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Publisher, PublisherCertificate, PublisherKey } from '#core/publisher.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { putPublisher, removePublisher } from '#registry/commands/publisher.ts';
import { removeServer } from '#registry/commands/server.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT: Tenant = { ...sampleTenant('acme', 7), grants: [], publishers: [] };

const jwkOf = (alg: string, pair: { publicKey: { export(o: { format: 'jwk' }): object } }) =>
  ({ ...pair.publicKey.export({ format: 'jwk' }), alg }) as PublisherKey['jwk'];

const ES256 = jwkOf('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const EDDSA = jwkOf('EdDSA', generateKeyPairSync('ed25519'));
const RS256 = jwkOf('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }));
const SHORT = jwkOf('RS256', generateKeyPairSync('rsa', { modulusLength: 1024 }));

const publisher = (...keys: PublisherKey[]): Publisher => ({
  id: 'team',
  displayName: 'Team',
  keys,
  servers: ['tracker'],
});

const accepted = (outcome: Outcome): Tenant => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.tenant;
};

const pointers = (outcome: Outcome): string[] =>
  outcome.ok ? [] : outcome.error.faults.map(({ pointer }) => pointer);

describe('putPublisher', () => {
  it('takes several keys at once, so that keys are changed without a gap', () => {
    const keys = [ES256, EDDSA, RS256].map((jwk, index) => ({ kid: `k${index}`, jwk }));
    const outcome = putPublisher(TENANT, publisher(...keys));
    expect(accepted(outcome).publishers).toEqual([publisher(...keys)]);
    expect(outcome).toMatchObject({ value: { changes: ['publishers/team: created'] } });
  });

  it.each<[string, PublisherKey, string]>([
    ['an alg of another key type', { kid: 'a', jwk: { ...ES256, alg: 'RS256' } }, '/keys/0/jwk/alg'],
    ['an alg of another curve', { kid: 'a', jwk: { ...ES256, alg: 'ES384' } }, '/keys/0/jwk/crv'],
    [
      'a missing coordinate',
      { kid: 'a', jwk: { kty: 'EC', alg: 'ES256', crv: 'P-256', x: 'AA' } },
      '/keys/0/jwk/y',
    ],
    ['a point that is not on the curve', { kid: 'a', jwk: { ...ES256, x: ES256.y ?? '' } }, '/keys/0/jwk'],
    ['members of another key type', { kid: 'a', jwk: { ...ES256, n: 'AQAB' } }, '/keys/0/jwk/n'],
    ['an RSA key of 1024 bits', { kid: 'a', jwk: SHORT }, '/keys/0/jwk/n'],
    ['another kid inside the key', { kid: 'a', jwk: { ...ES256, kid: 'b' } }, '/keys/0/jwk/kid'],
    ['a day no month has', { kid: 'a', jwk: ES256, notBefore: '2026-13-01T00:00:00Z' }, '/keys/0/notBefore'],
    [
      'an end before its beginning',
      { kid: 'a', jwk: ES256, notBefore: '2026-02-01T00:00:00Z', notAfter: '2026-01-01T00:00:00Z' },
      '/keys/0/notAfter',
    ],
  ])('refuses %s, naming the field', (_name, key, pointer) => {
    expect(pointers(putPublisher(TENANT, publisher(key)))).toEqual([pointer]);
  });

  it('refuses a kid that another publisher of the tenant has', () => {
    const before = accepted(putPublisher(TENANT, publisher({ kid: 'a', jwk: ES256 })));
    const other = { ...publisher({ kid: 'a', jwk: EDDSA }), id: 'other' };
    expect(pointers(putPublisher(before, other))).toEqual(['/keys/0/kid']);
  });

  it('refuses a server that does not exist, and keeps one that a publisher is bound to', () => {
    const bound = publisher({ kid: 'a', jwk: ES256 });
    expect(pointers(putPublisher(TENANT, { ...bound, servers: ['none'] }))).toEqual(['/servers/0']);
    const before = accepted(putPublisher(TENANT, bound));
    expect(removeServer(before, 'tracker')).toMatchObject({
      error: {
        kind: 'conflict',
        faults: [{ message: expect.stringContaining('publishers/team/servers/0') }],
      },
    });
    expect(removeServer(accepted(removePublisher(before, 'team')), 'tracker').ok).toBe(true);
  });
});

describe('removePublisher', () => {
  it('refuses one that is not there', () => {
    expect(removePublisher(TENANT, 'team')).toMatchObject({ error: { kind: 'not-found' } });
  });
});

describe('certificates of a publisher', () => {
  const SPKI = `${'A'.repeat(43)}=`;
  const bound = (id: string, ...certificates: readonly PublisherCertificate[]): Publisher => ({
    ...publisher({ kid: `${id}-1`, jwk: ES256 }),
    id,
    certificates,
  });

  it('are known by their key or by a name', () => {
    const outcome = putPublisher(
      TENANT,
      bound(
        'team',
        { kind: 'spki-sha256', value: SPKI },
        { kind: 'san-uri', value: 'spiffe://example.com/ci' },
        { kind: 'san-dns', value: 'ci.example.com' },
      ),
    );
    expect(accepted(outcome).publishers[0]?.certificates).toHaveLength(3);
  });

  it.each<PublisherCertificate>([
    { kind: 'spki-sha256', value: 'a'.repeat(64) },
    { kind: 'spki-sha256', value: `${'A'.repeat(42)}B=` },
    { kind: 'san-uri', value: 'ci.example.com' },
    { kind: 'san-uri', value: 'SPIFFE://example.com/ci' },
    { kind: 'san-uri', value: 'spiffe://example.com/a b' },
    { kind: 'san-dns', value: '*.example.com' },
    { kind: 'san-dns', value: 'CI.example.com' },
    { kind: 'san-dns', value: 'ci.example.com.' },
  ])('are written in one way: not $kind $value', (certificate) => {
    expect(pointers(putPublisher(TENANT, bound('team', certificate)))).toEqual(['/certificates/0/value']);
  });

  it('speak for one publisher of the tenant', () => {
    const certificate: PublisherCertificate = { kind: 'san-dns', value: 'ci.example.com' };
    const one = accepted(putPublisher(TENANT, bound('one', certificate)));
    expect(pointers(putPublisher(one, bound('two', certificate)))).toEqual(['/certificates/0/value']);
    expect(pointers(putPublisher(TENANT, bound('one', certificate, certificate)))).not.toEqual([]);
  });
});
