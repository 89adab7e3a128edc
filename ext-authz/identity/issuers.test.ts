// Unit tests of issuers.ts.
import { describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import { acceptIssuer } from '#ext-authz/identity/issuers.ts';
import { entraIssuer, HOME_TID, OTHER_TID, oidcIssuer, testTenant } from '#test/support/token-issuer.ts';

const iss = (tid: string): string => `https://login.example/${tid}/v2.0`;

const outcomeOf = (issuers: TrustedIssuer[], token: { iss: string; tid?: string }): string => {
  const accepted = acceptIssuer(testTenant(issuers), token);
  return accepted.ok ? accepted.value.issuer.id : accepted.error.reason;
};

const both = [entraIssuer('x'), oidcIssuer('y')];

describe('acceptIssuer()', () => {
  it('finds each issuer by its exact name', () => {
    expect(outcomeOf(both, { iss: iss(HOME_TID), tid: HOME_TID })).toBe('entra');
    expect(outcomeOf(both, { iss: 'https://idp.example' })).toBe('oidc');
  });

  it.each([
    ['https://idp.example/', 'issuer_unknown'],
    ['https://IDP.example', 'issuer_unknown'],
    ['http://idp.example', 'issuer_unknown'],
    ['https://idp.example.evil', 'issuer_unknown'],
    ['https://login.example/{tenantid}/v2.0', 'issuer_unknown'],
    ['', 'issuer_unknown'],
    ['constructor', 'issuer_unknown'],
    ['__proto__', 'issuer_unknown'],
  ])('does not know %j', (name, reason) => {
    expect(outcomeOf(both, { iss: name, tid: HOME_TID })).toBe(reason);
  });

  it('names the directory as the fault where the issuer is right and the directory is not listed', () => {
    expect(outcomeOf(both, { iss: iss(OTHER_TID), tid: OTHER_TID })).toBe('directory_tenant_refused');
    expect(outcomeOf(both, { iss: iss('evil'), tid: 'evil' })).toBe('issuer_unknown');
    expect(outcomeOf(both, { iss: iss(OTHER_TID) })).toBe('issuer_unknown');
  });

  it('knows no disabled issuer', () => {
    const disabled = [entraIssuer('x', { enabled: false }), oidcIssuer('y', { enabled: false })];
    expect(outcomeOf(disabled, { iss: 'https://idp.example' })).toBe('issuer_unknown');
    expect(outcomeOf(disabled, { iss: iss(OTHER_TID), tid: OTHER_TID })).toBe('issuer_unknown');
  });

  it('refuses to choose between two issuers of one name', () => {
    const twins = [oidcIssuer('x'), oidcIssuer('y', { id: 'twin' })];
    expect(outcomeOf(twins, { iss: 'https://idp.example' })).toBe('issuer_unknown');
  });

  it('keeps directories of two issuers of one template apart', () => {
    const shared = [
      entraIssuer('x'),
      entraIssuer('x', { id: 'partner', relation: 'partner', directoryTenants: [OTHER_TID] }),
    ];
    expect(outcomeOf(shared, { iss: iss(HOME_TID), tid: HOME_TID })).toBe('entra');
    expect(outcomeOf(shared, { iss: iss(OTHER_TID), tid: OTHER_TID })).toBe('partner');
  });

  it('holds an Entra issuer without placeholder to its list of directories', () => {
    const accepted = acceptIssuer(testTenant([entraIssuer('x', { issuer: iss(HOME_TID) })]), {
      iss: iss(HOME_TID),
    });
    expect(accepted).toMatchObject({ ok: true, value: { directories: [HOME_TID] } });
  });
});
