import { describe, expect, it } from 'vitest';
import { principalsOf } from '#ext-authz/revocation/principals-of.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TID = '11111111-1111-4111-8111-111111111111';
const OID = '22222222-2222-4222-8222-222222222222';
const [entra] = sampleTenant('acme').issuers;
if (entra === undefined) throw new Error('the sample tenant has changed');
const tenant = {
  ...sampleTenant('acme'),
  issuers: [
    entra,
    { ...entra, id: 'version-one', issuer: 'https://sts.example.net/{tenantid}/' },
    { ...entra, id: 'okta', kind: 'oidc' as const, issuer: 'https://acme.okta.example' },
  ],
};

describe('principalsOf()', () => {
  it('knows a person of a directory by each version of its tokens', () => {
    const target = { kind: 'directory-user', tid: TID.toUpperCase(), oid: OID } as const;
    expect(principalsOf(tenant, target)).toEqual([
      JSON.stringify([`https://login.example.com/${TID}/v2.0`, TID, OID]),
      JSON.stringify([`https://sts.example.net/${TID}/`, TID, OID]),
    ]);
  });

  it('knows a subject at an issuer whose principals are subjects', () => {
    const target = { kind: 'subject', issuerId: 'okta', subject: 'mallory' } as const;
    expect(principalsOf(tenant, target)).toEqual([JSON.stringify(['https://acme.okta.example', 'mallory'])]);
    expect(principalsOf(tenant, { ...target, issuerId: 'home' })).toEqual([]);
  });
});
