// Which token a call needs, for every mode and kind of caller.

import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { IssuerBinding, McpServer, UpstreamAuth } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { planToken } from '#ext-authz/token/plan.ts';

const TID = '3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10';

const issuer = (parts: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  id: 'contoso',
  kind: 'entra',
  issuer: 'https://login.example/{tenantid}/v2.0',
  jwksUri: 'https://login.example/keys',
  tokenEndpoint: 'https://login.example/{tenantid}/oauth2/v2.0/token',
  algorithms: ['RS256'],
  relation: 'home',
  directoryTenants: [TID],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 0,
  enabled: true,
  ...parts,
});

const binding = (issuerId: string, audience: string, clientId?: string): IssuerBinding => ({
  issuerId,
  audiences: [audience],
  requiredScopes: [],
  ...(clientId === undefined ? {} : { oboApplication: { clientId, secretName: 'secret' } }),
});

const identity = (parts: Partial<Identity> = {}): Identity => ({
  principal: 'p',
  kind: 'user',
  issuerId: 'contoso',
  issuer: `https://login.example/${TID}/v2.0`,
  audience: 'aud-1',
  relation: 'home',
  subject: 's',
  tid: TID,
  oid: 'o',
  groups: [],
  roles: [],
  scopes: [],
  guest: false,
  assurance: [],
  claimsChallenges: false,
  issuedAt: 0,
  expiresAt: 1,
  ...parts,
});

const plan = (
  upstreamAuth: UpstreamAuth,
  more: { caller?: Partial<Identity>; issuers?: TrustedIssuer[]; bindings?: IssuerBinding[] } = {},
) => {
  const bindings = more.bindings ?? [
    binding('fabrikam', 'aud-1', 'fabrikam-app'),
    binding('contoso', 'aud-0', 'other-app'),
    binding('contoso', 'aud-1', 'contoso-app'),
  ];
  const server = { id: 'tracker', upstreamAuth, bindings } as unknown as McpServer;
  const tenant = { id: 'default', issuers: more.issuers ?? [issuer()] } as unknown as Tenant;
  const result = planToken({ tenant, server, identity: identity(more.caller) });
  return result.ok ? result.value : result.error.reason;
};

const OBO: UpstreamAuth = { mode: 'obo', scopes: ['api://x/.default'], appOnly: 'refuse' };

const oidc = (parts: Partial<TrustedIssuer> = {}): TrustedIssuer =>
  issuer({
    kind: 'oidc',
    issuer: 'https://idp.example',
    tokenEndpoint: 'https://idp.example/token',
    directoryTenants: [],
    ...parts,
  });

const EXCHANGE: UpstreamAuth = {
  mode: 'token-exchange',
  scopes: ['use'],
  appOnly: 'refuse',
  resource: 'https://tracker.example',
};

describe('planToken()', () => {
  it('finds the application by issuer and audience, and the endpoint by directory', () => {
    expect(plan(OBO)).toEqual({
      kind: 'obo',
      application: { clientId: 'contoso-app', credential: { kind: 'secret', name: 'secret' } },
      tokenEndpoint: `https://login.example/${TID}/oauth2/v2.0/token`,
      directory: TID,
      scopes: ['api://x/.default'],
    });
  });

  it('needs nothing where the server takes no token', () => {
    expect(plan({ mode: 'none', scopes: [], appOnly: 'refuse' }, { bindings: [] })).toBeNull();
  });

  it('gives an application its own token under obo only where the admin said so', () => {
    expect(plan(OBO, { caller: { kind: 'app' } })).toBe('app_only_refused');
    expect(plan({ ...OBO, appOnly: 'client-credentials' }, { caller: { kind: 'app' } })).toMatchObject({
      kind: 'client-credentials',
    });
  });

  it('uses the application itself under client-credentials, whoever calls', () => {
    for (const kind of ['user', 'app'] as const) {
      expect(plan({ ...OBO, mode: 'client-credentials' }, { caller: { kind } })).toMatchObject({
        kind: 'client-credentials',
      });
    }
  });

  it('passes a credential of any kind on as it is named', () => {
    const credential = { kind: 'certificate', name: 'gateway', algorithm: 'PS256' } as const;
    const bindings = [{ ...binding('contoso', 'aud-1'), oboApplication: { clientId: 'app', credential } }];
    expect(plan(OBO, { bindings })).toMatchObject({ application: { clientId: 'app', credential } });
  });

  it('expects an audience of Entra where the server names one', () => {
    expect(plan({ ...OBO, tokenAudience: 'tracker-id' })).toMatchObject({ expectedAudience: 'tracker-id' });
  });

  it('exchanges at any other issuer for the server’s resource, named as that issuer wants it', () => {
    expect(plan(EXCHANGE, { issuers: [oidc()] })).toEqual({
      kind: 'token-exchange',
      application: { clientId: 'contoso-app', credential: { kind: 'secret', name: 'secret' } },
      tokenEndpoint: 'https://idp.example/token',
      scopes: ['use'],
      resource: { name: 'https://tracker.example', sentAs: ['resource'] },
      assertionAudience: 'https://idp.example',
      expectedAudience: 'https://tracker.example',
    });
    const tokenRequests = {
      nameResourceBy: ['audience'],
      requestedTokenType: 'jwt',
      assertionAudience: 'token-endpoint',
    } as const;
    const asked = plan(
      { ...EXCHANGE, actor: 'application', tokenAudience: 'tracker' },
      { issuers: [oidc({ tokenRequests })] },
    );
    expect(asked).toMatchObject({
      resource: { name: 'https://tracker.example', sentAs: ['audience'] },
      requestedTokenType: 'jwt',
      expectedAudience: 'tracker',
      actor: 'application',
    });
    expect(asked).not.toHaveProperty('assertionAudience');
  });

  it('asks a partner’s provider about a partner’s user, and no other', () => {
    const partner = oidc({ id: 'fabrikam', issuer: 'https://fabrikam.example', relation: 'partner' });
    const issuers = [oidc(), { ...partner, tokenEndpoint: 'https://fabrikam.example/token' }];
    expect(plan(EXCHANGE, { issuers, caller: { issuerId: 'fabrikam' } })).toMatchObject({
      application: { clientId: 'fabrikam-app' },
      tokenEndpoint: 'https://fabrikam.example/token',
    });
  });

  it('falls back to the application itself for one that calls, without an actor, at any issuer', () => {
    const auth = { ...EXCHANGE, actor: 'application', appOnly: 'client-credentials' } as const;
    const asked = plan(auth, { issuers: [oidc()], caller: { kind: 'app' } });
    expect(asked).toMatchObject({
      kind: 'client-credentials',
      resource: { name: 'https://tracker.example' },
    });
    expect(asked).not.toHaveProperty('actor');
    expect(plan(EXCHANGE, { issuers: [oidc()], caller: { kind: 'app' } })).toBe('app_only_refused');
  });

  it('asks nobody for a secret of the server’s own, whoever calls', () => {
    const auth = { mode: 'static', scopes: [], appOnly: 'refuse' } as const;
    for (const kind of ['user', 'app'] as const) {
      expect(plan({ ...auth, secret: { name: 'key' } }, { caller: { kind } })).toEqual({
        kind: 'static',
        secretName: 'key',
      });
    }
    expect(plan({ ...auth, secret: { name: 'key', header: 'x-api-key' } })).toMatchObject({
      header: 'x-api-key',
    });
    expect(plan(auth)).toBe('exchange_misconfigured');
  });

  it.each([
    ['no downstream scopes', plan({ ...OBO, scopes: [] })],
    ['no binding of the audience', plan(OBO, { caller: { audience: 'aud-9' } })],
    ['a binding without an application', plan(OBO, { bindings: [binding('contoso', 'aud-1')] })],
    [
      'an issuer that exchanges nothing',
      plan(OBO, { issuers: [{ ...issuer(), tokenEndpoint: undefined } as never] }),
    ],
    ['On-Behalf-Of at an issuer that is no Entra', plan(OBO, { issuers: [oidc()] })],
    ['token exchange at Entra', plan(EXCHANGE)],
    [
      'an exchange for no resource',
      plan({ ...EXCHANGE, resource: undefined } as never, { issuers: [oidc()] }),
    ],
    [
      'a token for nothing named',
      plan({ mode: 'client-credentials', scopes: [], appOnly: 'refuse' }, { issuers: [oidc()] }),
    ],
    [
      'an application without a credential',
      plan(OBO, { bindings: [{ ...binding('contoso', 'aud-1'), oboApplication: { clientId: 'app' } }] }),
    ],
    ['an unknown issuer', plan(OBO, { issuers: [] })],
    ['a directory that is no GUID', plan(OBO, { caller: { tid: '../evil' } })],
  ])('refuses as misconfigured: %s', (_what, outcome) => {
    expect(outcome).toBe('exchange_misconfigured');
  });
});
