// Unit tests of claims.ts, caller-kind.ts, claim-values.ts and scopes.ts: what a verified payload says about a caller.
import { describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { identityFromToken } from '#ext-authz/identity/claims.ts';
import type { VerifiedIdentity } from '#ext-authz/identity/credential.ts';
import { judgeScopes } from '#ext-authz/identity/scopes.ts';
import {
  AUDIENCE,
  entraClaims,
  entraIssuer,
  HOME_TID,
  NOW,
  OID,
  OTHER_TID,
  oidcClaims,
  oidcIssuer,
  testServer,
} from '#test/support/token-issuer.ts';

const read = (issuer: TrustedIssuer, payload: Record<string, unknown>) =>
  identityFromToken({
    payload: payload as JsonObject,
    accepted: { issuer, iss: String(payload['iss']), directories: issuer.directoryTenants },
    audience: AUDIENCE,
    times: { issuedAt: NOW, expiresAt: NOW + 3600, notBefore: NOW },
  });

const without = (claims: Record<string, unknown>, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

const identityOf = (issuer: TrustedIssuer, payload: Record<string, unknown>): VerifiedIdentity => {
  const result = read(issuer, payload);
  if (!result.ok) throw new Error(`refused: ${result.error.reason} ${JSON.stringify(result.error.logFacts)}`);
  return result.value;
};

const reasonOf = (issuer: TrustedIssuer, payload: Record<string, unknown>): Reason | 'accepted' => {
  const result = read(issuer, payload);
  return result.ok ? 'accepted' : result.error.reason;
};

const entra = entraIssuer('x');
const oidc = oidcIssuer('x');

describe('identityFromToken() of an Entra v2 token', () => {
  it('reads a user', () => {
    const claims = entraClaims({ acrs: ['c1'], amr: ['mfa'], xms_cc: ['CP1'], uti: 'u', roles: ['reader'] });
    expect(identityOf(entra, claims)).toEqual({
      principal: JSON.stringify([`https://login.example/${HOME_TID}/v2.0`, HOME_TID, OID]),
      kind: 'user',
      issuerId: 'entra',
      issuer: `https://login.example/${HOME_TID}/v2.0`,
      audience: AUDIENCE,
      relation: 'home',
      subject: 'pairwise-subject',
      tid: HOME_TID,
      oid: OID,
      name: 'Test Person',
      groups: ['group-1'],
      roles: ['reader'],
      scopes: ['tools.use'],
      app: '55555555-5555-4555-8555-555555555555',
      guest: false,
      assurance: ['c1', 'mfa'],
      claimsChallenges: true,
      tokenId: 'u',
      issuedAt: NOW,
      expiresAt: NOW + 3600,
    });
  });

  it('keys the caller by directory and object, whatever names and mail addresses say', () => {
    const renamed = entraClaims({
      upn: 'admin@contoso.example',
      email: 'admin@contoso.example',
      preferred_username: 'admin@contoso.example',
      name: 'Admin',
      sub: 'other-application',
    });
    expect(identityOf(entra, renamed).principal).toBe(identityOf(entra, entraClaims()).principal);
    const elsewhere = entraIssuer('x', { directoryTenants: [HOME_TID, OTHER_TID] });
    const guestOfSameOid = entraClaims({ tid: OTHER_TID, iss: `https://login.example/${OTHER_TID}/v2.0` });
    expect(identityOf(elsewhere, guestOfSameOid).principal).not.toBe(
      identityOf(entra, entraClaims()).principal,
    );
  });

  it.each([
    ['idtyp says so', { idtyp: 'app', scp: undefined, roles: ['r'] }, 'app'],
    ['idtyp says so, without roles', { idtyp: 'app', scp: undefined }, 'app'],
    ['idtyp says so, whatever scp holds', { idtyp: 'app', scp: '/' }, 'app'],
    ['no idtyp, no scp, roles', { idtyp: undefined, scp: undefined, roles: ['r'] }, 'app'],
    ['no idtyp, no scp, its own object as subject', { idtyp: undefined, scp: undefined, sub: OID }, 'app'],
    ['an empty scp makes no user', { idtyp: undefined, scp: '', sub: OID }, 'app'],
    ['a scp of "/" makes no user', { idtyp: undefined, scp: '/', sub: OID }, 'app'],
    ['a delegated token with roles', { idtyp: undefined, roles: ['r'] }, 'user'],
    ['a delegated token', { idtyp: undefined }, 'user'],
    ['idtyp user', {}, 'user'],
  ])('tells who is behind it: %s', (_title, changes, kind) => {
    const claims = Object.entries(entraClaims(changes)).filter(([, value]) => value !== undefined);
    expect(identityOf(entra, Object.fromEntries(claims)).kind).toBe(kind);
  });

  it.each<[string, object, object]>([
    ['alone', { xms_sub_fct: '11 99', idtyp: 'app', scp: '/' }, { kind: 'app', agent: 'alone' }],
    ['alone, without idtyp', { xms_sub_fct: '11', idtyp: undefined }, { kind: 'app', agent: 'alone' }],
    ['for a person', { xms_act_fct: '3 11' }, { kind: 'user', agent: 'for-person' }],
    [
      'in an account of its own',
      { xms_act_fct: '11', xms_sub_fct: '13' },
      { kind: 'user', agent: 'own-account' },
    ],
  ])('knows an agent %s', (_title, changes, expected) => {
    const claims = Object.entries(entraClaims(changes)).filter(([, value]) => value !== undefined);
    expect(identityOf(entra, Object.fromEntries(claims))).toMatchObject(expected);
  });

  it('takes facets whole, and none it does not know', () => {
    expect(identityOf(entra, entraClaims({ xms_act_fct: '111 1 12', xms_sub_fct: '' }))).not.toHaveProperty(
      'agent',
    );
  });

  it('reads a token of version 1 by the names of that version', () => {
    const first = entraIssuer('x', { issuer: 'https://sts.example/{tenantid}/' });
    const claims = (changes: object = {}) => {
      const named = { ver: '1.0', azp: undefined, appid: 'an-application', ...changes };
      const iss = `https://sts.example/${HOME_TID}/`;
      return Object.fromEntries(
        Object.entries(entraClaims({ iss, ...named })).filter(([, value]) => value !== undefined),
      );
    };
    expect(identityOf(first, claims({ idp: `https://sts.windows.net/${HOME_TID}/` }))).toMatchObject({
      kind: 'user',
      app: 'an-application',
      guest: false,
      oid: OID,
    });
    const application = claims({ idtyp: 'app', scp: undefined });
    expect(identityOf(first, application)).toMatchObject({ kind: 'app', app: 'an-application' });
    expect(reasonOf(first, claims({ ver: '2.0' }))).toBe('claims_invalid');
    expect(reasonOf(first, claims({ idtyp: 'app', appid: undefined, azp: 'x' }))).toBe('claims_invalid');
  });

  it.each([
    ['a relation of a guest', { xms_idrel: '5' }, true],
    ['acct 1', { acct: 1 }, true],
    ['an identity provider of another directory', { idp: `https://sts.windows.net/${OTHER_TID}/` }, true],
    ['a social identity provider', { idp: 'live.com' }, true],
    ['acct 0', { acct: 0 }, false],
    ['its own directory as provider', { idp: `https://sts.windows.net/${HOME_TID}/` }, false],
    ['its issuer as provider', { idp: `https://login.example/${HOME_TID}/v2.0` }, false],
  ])('knows guests: %s', (_title, changes, guest) => {
    expect(identityOf(entra, entraClaims(changes)).guest).toBe(guest);
  });

  it('makes every caller of a partner a guest', () => {
    const partner = entraIssuer('x', { relation: 'partner' });
    expect(identityOf(partner, entraClaims())).toMatchObject({ relation: 'partner', guest: true });
    const application = without(entraClaims({ idtyp: 'app' }), 'scp');
    expect(identityOf(partner, application)).toMatchObject({ kind: 'app', guest: true });
  });

  it.each<[string, object, Reason]>([
    ['version 1 of an issuer of version 2', { ver: '1.0' }, 'claims_invalid'],
    ['facets of another shape', { xms_act_fct: 11 }, 'claims_invalid'],
    ['an agent that is said to be a user', { xms_sub_fct: '11', idtyp: 'user' }, 'claims_invalid'],
    ['no version', { ver: undefined }, 'claims_invalid'],
    ['a directory that is not listed', { tid: OTHER_TID }, 'directory_tenant_refused'],
    ['a directory that is no GUID', { tid: 'contoso' }, 'claims_invalid'],
    ['no directory', { tid: undefined }, 'claims_invalid'],
    ['no object id', { oid: undefined }, 'claims_invalid'],
    ['an object id that is no GUID', { oid: 'x' }, 'claims_invalid'],
    ['no subject', { sub: undefined }, 'claims_invalid'],
    ['a subject that is no text', { sub: 7 }, 'claims_invalid'],
    ['an unknown idtyp', { idtyp: 'device' }, 'claims_invalid'],
    ['neither user nor application', { idtyp: undefined, scp: undefined }, 'claims_invalid'],
    ['an application without a client id', { idtyp: 'app', azp: undefined }, 'claims_invalid'],
    ['groups that are no list', { groups: { a: 1 } }, 'claims_invalid'],
    ['groups that are not texts', { groups: [1] }, 'claims_invalid'],
    ['null groups', { groups: null }, 'claims_invalid'],
    ['five thousand groups', { groups: Array.from({ length: 5_000 }, String) }, 'claims_invalid'],
    ['scopes that are no text', { scp: 7 }, 'claims_invalid'],
    ['groups elsewhere', { groups: undefined, _claim_names: { groups: 'src1' } }, 'groups_overage'],
    ['hasgroups', { groups: undefined, hasgroups: true }, 'groups_overage'],
    ['an overage of unknown shape', { _claim_names: 'src1' }, 'groups_overage'],
    ['an ID token', { at_hash: 'x' }, 'claims_invalid'],
    ['a security event', { events: {} }, 'claims_invalid'],
  ])('refuses %s', (_title, changes, reason) => {
    const claims = Object.entries(entraClaims(changes)).filter(([, value]) => value !== undefined);
    expect(reasonOf(entra, Object.fromEntries(claims))).toBe(reason);
  });

  it('does not mistake other claims elsewhere for groups', () => {
    expect(reasonOf(entra, entraClaims({ _claim_names: { address: 'src1' } }))).toBe('accepted');
  });
});

describe('identityFromToken() of an OpenID Connect issuer', () => {
  it('reads claims by the names the issuer uses, also inside other claims', () => {
    const claims = oidcClaims({ realm_access: { roles: ['a', 'b'] }, groups: ['g'], jti: 'j' });
    expect(identityOf(oidc, claims)).toMatchObject({
      kind: 'user',
      subject: 'user-1',
      principal: JSON.stringify(['https://idp.example', 'user-1']),
      roles: ['a', 'b'],
      groups: ['g'],
      scopes: ['openid', 'tools.use'],
      app: 'client-1',
      tokenId: 'j',
    });
  });

  it('prefers a claim of the exact name to a path', () => {
    const names = { groups: 'https://a.example/groups', roles: 'a.b', scopes: 'scp', name: 'name' };
    const claims = oidcClaims({
      'https://a.example/groups': ['g'],
      'a.b': ['exact'],
      a: { b: ['path'] },
      scp: ['one', 'two'],
    });
    expect(identityOf(oidcIssuer('x', { claims: names }), claims)).toMatchObject({
      groups: ['g'],
      roles: ['exact'],
      scopes: ['one', 'two'],
    });
  });

  it('finds nothing in a prototype', () => {
    const names = { groups: 'constructor.name', roles: '__proto__', scopes: 'scope', name: 'toString' };
    expect(identityOf(oidcIssuer('x', { claims: names }), oidcClaims())).toMatchObject({
      groups: [],
      roles: [],
    });
  });

  it.each([
    ['its own subject', { sub: 'client-1' }, 'app'],
    ['its own subject by client_id', { azp: undefined, client_id: 'c', sub: 'c' }, 'app'],
    ['its own subject by cid', { azp: undefined, cid: 'c', sub: 'c' }, 'app'],
    ['the @clients subject', { sub: 'client-1@clients' }, 'app'],
    ['the named grant', { gty: 'client-credentials' }, 'app'],
    ['a user', {}, 'user'],
  ])('tells users and applications apart: %s', (_title, changes, kind) => {
    const claims = Object.entries(oidcClaims(changes)).filter(([, value]) => value !== undefined);
    expect(identityOf(oidc, Object.fromEntries(claims)).kind).toBe(kind);
  });

  it('names the actor of a delegation, and refuses one it cannot read', () => {
    expect(identityOf(oidc, oidcClaims({ act: { sub: 'agent' } })).actor).toBe('agent');
    expect(reasonOf(oidc, oidcClaims({ act: 'agent' }))).toBe('claims_invalid');
  });

  it('ignores directory claims it has no list for', () => {
    const identity = identityOf(oidc, oidcClaims({ tid: HOME_TID, oid: OID }));
    expect(identity.tid).toBeUndefined();
    expect(identity.principal).toBe(JSON.stringify(['https://idp.example', 'user-1']));
  });
});

describe('judgeScopes()', () => {
  const binding = { issuerId: 'entra', audiences: [AUDIENCE], requiredScopes: ['tools.use', 'tools.more'] };
  const server = { ...testServer([entra]), bindings: [binding] };

  it('asks a user for every scope, and names them all', () => {
    const denied = judgeScopes(identityOf(entra, entraClaims()), binding, server);
    expect(denied).toMatchObject({
      reason: 'scope_insufficient',
      publicFacts: { requiredScopes: ['tools.use', 'tools.more'], heldScopes: ['tools.use'] },
    });
    const enough = identityOf(entra, entraClaims({ scp: 'tools.more other tools.use' }));
    expect(judgeScopes(enough, binding, server)).toBeUndefined();
  });

  it('takes a scope whole', () => {
    const close = identityOf(entra, entraClaims({ scp: 'tools.use.all tools.moretools.use' }));
    expect(judgeScopes(close, binding, server)?.reason).toBe('scope_insufficient');
  });

  it('asks an application for none', () => {
    const application = identityOf(entra, without(entraClaims({ idtyp: 'app' }), 'scp'));
    expect(judgeScopes(application, binding, server)).toBeUndefined();
  });
});
