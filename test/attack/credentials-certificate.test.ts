// Certificates in the place of tokens, by those who would like to be somebody else: against the identity part of ext-authz as
// it runs. That Envoy let them in is taken for granted: its authorities serve all tenants.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineCertificates, TrustedIssuer } from '#core/issuer.ts';
import type { Tenant } from '#core/tenant.ts';
import { type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { oidcIssuer, testTenant } from '#test/support/token-issuer.ts';

const ROBOT = 'spiffe://acme.example/robots/nightly';
const own = createTestAuthority('acme');
/** Another key under the same name. */
const twin = createTestAuthority('acme');
const foreign = createTestAuthority('globex');

let bench: IdentityBench;
beforeAll(async () => {
  bench = await startIdentityBench([]);
});
afterAll(() => bench.stop());

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const vouching = (changes: Partial<MachineCertificates> = {}, id = 'oidc'): TrustedIssuer =>
  oidcIssuer(bench.keyServer.url, {
    id,
    issuer: `https://${id}.example`,
    machineCertificates: {
      authorities: own.certificate,
      names: ['spiffe://acme.example/robots/*', '*.robots.acme.example'],
      ...changes,
    },
  });

type Sent = { readonly tenant?: Tenant; readonly at?: number; readonly headers?: Record<string, string[]> };

const present = (certificate: string, { tenant, at = nowSeconds(), headers = {} }: Sent = {}) =>
  bench.present({
    headers,
    tenant: tenant ?? testTenant([vouching()]),
    nowSeconds: at,
    clientCertificate: certificate,
  });

const outcomeOf = async (certificate: string, sent?: Sent): Promise<string> => {
  const result = await present(certificate, sent);
  return result.ok ? `${result.value.identity.kind} ${result.value.identity.subject}` : result.error.reason;
};

describe('a machine with a certificate', () => {
  it('is an application of its issuer, by the name of the certificate', async () => {
    const result = await present(own.issue([ROBOT]).certificate);
    expect(result).toMatchObject({
      ok: true,
      value: {
        identity: {
          kind: 'app',
          app: ROBOT,
          subject: ROBOT,
          principal: JSON.stringify(['https://oidc.example', ROBOT]),
          guest: false,
          scopes: [],
        },
      },
    });
    expect(await outcomeOf(own.issue(['night.robots.acme.example']).certificate)).toBe(
      'app night.robots.acme.example',
    );
  });

  it('of a partner is a guest', async () => {
    const tenant = testTenant([{ ...vouching(), relation: 'partner' }]);
    const result = await present(own.issue([ROBOT]).certificate, { tenant });
    expect(result).toMatchObject({ ok: true, value: { identity: { relation: 'partner', guest: true } } });
  });

  it.each<[string, () => string, string]>([
    ['by the authority of another tenant', () => foreign.issue([ROBOT]).certificate, 'certificate_unknown'],
    ['by an authority of the same name', () => twin.issue([ROBOT]).certificate, 'certificate_unknown'],
    ['that is the authority itself', () => own.certificate, 'certificate_name_refused'],
    ['without a name', () => own.issue([]).certificate, 'certificate_name_refused'],
    [
      'with two names that are taken',
      () => own.issue([ROBOT, `${ROBOT}-2`]).certificate,
      'certificate_name_refused',
    ],
    [
      'of another trust domain',
      () => own.issue(['spiffe://globex.example/robots/a']).certificate,
      'certificate_name_refused',
    ],
    [
      'of another path',
      () => own.issue(['spiffe://acme.example/people/a']).certificate,
      'certificate_name_refused',
    ],
    ['of a path below', () => own.issue([`${ROBOT}/../../admin`]).certificate, 'certificate_name_refused'],
    [
      'of a domain that begins alike',
      () => own.issue(['spiffe://acme.example.evil/robots/a']).certificate,
      'certificate_name_refused',
    ],
    ['for many hosts', () => own.issue(['*.robots.acme.example']).certificate, 'certificate_name_refused'],
    [
      'of the domain itself',
      () => own.issue(['robots.acme.example']).certificate,
      'certificate_name_refused',
    ],
    ['with an address', () => own.issue(['10.0.0.7']).certificate, 'certificate_name_refused'],
  ])('is refused with one %s', async (_title, make, reason) => {
    expect(await outcomeOf(make())).toBe(reason);
  });

  it('is refused once the certificate has ended, on a connection that has not', async () => {
    const until = new Date(Date.now() + 60_000);
    const { certificate } = own.issue([ROBOT], { until });
    const end = Math.floor(until.getTime() / 1000);
    expect(await outcomeOf(certificate, { at: end - 1 })).toBe(`app ${ROBOT}`);
    expect(await outcomeOf(certificate, { at: end })).toBe('certificate_expired');
  });

  it('is nobody where no issuer of the server vouches for certificates, or that one is disabled', async () => {
    const { certificate } = own.issue([ROBOT]);
    const { machineCertificates: _, ...plain } = vouching();
    const unbound = { ...testTenant([plain]), issuers: [plain, vouching({}, 'unbound')] };
    for (const tenant of [testTenant([plain]), testTenant([{ ...vouching(), enabled: false }]), unbound])
      expect(await outcomeOf(certificate, { tenant })).toBe('token_missing');
  });

  it('is nobody where two issuers would each call it theirs', async () => {
    const tenant = testTenant([vouching(), vouching({}, 'second')]);
    expect(await outcomeOf(own.issue([ROBOT]).certificate, { tenant })).toBe('certificate_name_refused');
  });

  it('is told apart by issuers with authorities of their own, whatever names they share', async () => {
    const tenant = testTenant([vouching(), vouching({ authorities: foreign.certificate }, 'second')]);
    for (const [authority, issuer] of [
      [own, 'https://oidc.example'],
      [foreign, 'https://second.example'],
    ] as const) {
      const result = await present(authority.issue([ROBOT]).certificate, { tenant });
      expect(result).toMatchObject({ ok: true, value: { identity: { issuer } } });
    }
  });

  it('cannot fall back on its certificate once it has sent anything else', async () => {
    const { certificate } = own.issue([ROBOT]);
    for (const [authorization, reason] of [
      [['Bearer made-up'], 'token_malformed'],
      [['Basic eDp5'], 'token_missing'],
      [[''], 'token_missing'],
      [['Bearer a', 'Bearer b'], 'credential_misplaced'],
    ] as const)
      expect(await outcomeOf(certificate, { headers: { authorization: [...authorization] } })).toBe(reason);
  });
});
