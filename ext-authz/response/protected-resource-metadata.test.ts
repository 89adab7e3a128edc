// Unit tests of protected-resource-metadata.ts and cors.ts.
import { describe, expect, it } from 'vitest';
import { DPOP_ALGORITHMS } from '#core/dpop.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { IssuerBinding, McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { answerPreflight } from '#ext-authz/response/cors.ts';
import { answerMetadata, resourceMetadataUrl } from '#ext-authz/response/protected-resource-metadata.ts';
import { httpRequest } from '#test/support/http-requests.ts';

const TID = '3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10';

const issuer = (id: string, change: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  id,
  kind: 'oidc',
  issuer: `https://${id}.example`,
  jwksUri: `https://${id}.example/keys`,
  algorithms: ['RS256'],
  relation: 'home',
  directoryTenants: [],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 60,
  enabled: true,
  ...change,
});
const binding = (issuerId: string, change: Partial<IssuerBinding> = {}): IssuerBinding => ({
  issuerId,
  audiences: ['a4d1e6b8-0c72-4f39-8b5a-3c2d1e0f9a11'],
  requiredScopes: ['tools.use'],
  ...change,
});
const subject = (issuers: TrustedIssuer[], bindings: IssuerBinding[], path = '/mcp/tracker') => ({
  tenant: { id: 'default', issuers } as unknown as Tenant,
  server: { id: 'tracker', displayName: 'Issue tracker', bindings } as unknown as McpServer,
  path,
});
const documentOf = (given: ReturnType<typeof subject> | undefined, publicUrl = 'https://gw.example') => {
  const answer = answerMetadata('GET', { subject: given, publicUrl });
  return { ...answer, body: JSON.parse(answer.body) as Record<string, unknown> };
};

describe('answerMetadata()', () => {
  it('describes the endpoint in the form the client used', () => {
    const issuers = [issuer('idp')];
    for (const path of ['/mcp/tracker', '/t/default/mcp/tracker']) {
      const answer = documentOf(subject(issuers, [binding('idp')], path), 'https://gw.example/');
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        resource: `https://gw.example${path}`,
        authorization_servers: ['https://idp.example'],
        scopes_supported: ['tools.use'],
        bearer_methods_supported: ['header'],
        resource_name: 'Issue tracker',
      });
    }
  });

  it('leads to the façade of an issuer that has one, where the deployment has a façade at all', () => {
    const facade = {
      clientId: 'gateway-facade',
      authorizationEndpoint: 'https://idp.example/authorize',
      tokenEndpoint: 'https://idp.example/token',
      scopes: [],
      sendsResource: false,
      clientDocuments: true,
      registration: false,
    };
    const given = subject([issuer('idp', { facade }), issuer('other')], [binding('idp'), binding('other')]);
    const serversAt = (facadeUrl: string | undefined) => {
      const known = { subject: given, publicUrl: 'https://gw.example', facadeUrl };
      return (JSON.parse(answerMetadata('GET', known).body) as Record<string, unknown>)[
        'authorization_servers'
      ];
    };
    expect(serversAt('https://sign-in.example')).toEqual([
      'https://sign-in.example/t/default/i/idp',
      'https://other.example',
    ]);
    expect(serversAt(undefined)).toEqual(['https://idp.example', 'https://other.example']);
  });

  it('names the concrete issuer of each directory, home before partner', () => {
    const template = 'https://login.example/{tenantid}/v2.0';
    const issuers = [
      issuer('partner', { relation: 'partner', kind: 'entra', issuer: template, directoryTenants: ['b'] }),
      issuer('home', { kind: 'entra', issuer: template, directoryTenants: [TID, 'c'] }),
    ];
    const { body } = documentOf(subject(issuers, [binding('partner'), binding('home')]));
    expect(body['authorization_servers']).toEqual([
      `https://login.example/${TID}/v2.0`,
      'https://login.example/c/v2.0',
      'https://login.example/b/v2.0',
    ]);
  });

  it('sends clients of an issuer of version 1 tokens to where people sign in', () => {
    const first = issuer('idp', {
      kind: 'entra',
      issuer: 'https://sts.example/{tenantid}/',
      tokenEndpoint: 'https://login.example/{tenantid}/oauth2/v2.0/token',
      directoryTenants: [TID],
    });
    const { body } = documentOf(subject([first], [binding('idp')]));
    expect(body['authorization_servers']).toEqual([`https://login.example/${TID}/v2.0`]);
  });

  it('qualifies scopes of Entra with the audience that is a URI, and never offers offline_access', () => {
    const audiences = ['a4d1e6b8-0c72-4f39-8b5a-3c2d1e0f9a11', 'api://gateway-tracker'];
    const requiredScopes = ['tools.use', 'https://other.example/x', 'offline_access'];
    const scopesOf = (kind: TrustedIssuer['kind']) => {
      const bindings = [binding('idp', { audiences, requiredScopes })];
      return documentOf(subject([issuer('idp', { kind })], bindings)).body['scopes_supported'];
    };
    expect(scopesOf('entra')).toEqual(['api://gateway-tracker/tools.use', 'https://other.example/x']);
    expect(scopesOf('oidc')).toEqual(['tools.use', 'https://other.example/x']);
  });

  it.each<[string, string[]]>([
    ['the application has no URI in the binding', []],
    [
      'the binding lists the resource among others',
      ['api://gateway-tracker', 'https://gw.example/mcp/tracker'],
    ],
  ])('qualifies scopes of Entra with the resource itself where %s', (_title, uris) => {
    const audiences = ['a4d1e6b8-0c72-4f39-8b5a-3c2d1e0f9a11', ...uris];
    const given = subject([issuer('idp', { kind: 'entra' })], [binding('idp', { audiences })]);
    const { body } = documentOf(given);
    expect(body['scopes_supported']).toEqual(['https://gw.example/mcp/tracker/tools.use']);
    expect(body['resource']).toBe('https://gw.example/mcp/tracker');
  });

  it('says that bound tokens are taken, and that they must be where no issuer is let off', () => {
    const [a, b, off] = [issuer('a'), issuer('b'), issuer('off', { enabled: false })];
    const required = { dpop: 'required' } as const;
    const told = (bindings: IssuerBinding[]) => {
      const { body } = documentOf(subject([a, b, off], bindings));
      return [body['dpop_signing_alg_values_supported'], body['dpop_bound_access_tokens_required']];
    };
    expect(told([binding('a'), binding('off', required)])).toEqual([undefined, undefined]);
    expect(told([binding('a', required), binding('b')])).toEqual([DPOP_ALGORITHMS, undefined]);
    expect(told([binding('a', required), binding('b', { dpop: 'offered' })])).toEqual([
      DPOP_ALGORITHMS,
      undefined,
    ]);
    expect(told([binding('a', required), binding('b', required), binding('off')])).toEqual([
      DPOP_ALGORITHMS,
      true,
    ]);
  });

  it('answers 404 in JSON for what does not exist, and where no issuer could be named', () => {
    const disabled = subject([issuer('idp', { enabled: false })], [binding('idp'), binding('gone')]);
    for (const given of [undefined, disabled]) {
      const answer = documentOf(given);
      expect([answer.status, answer.body]).toEqual([404, { error: 'not_found' }]);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('is open to pages of any origin', () => {
    const known = { subject: subject([issuer('idp')], [binding('idp')]), publicUrl: 'https://gw.example' };
    for (const method of ['GET', 'OPTIONS'])
      expect(answerMetadata(method, known).headers['access-control-allow-origin']).toBe('*');
    expect(answerMetadata('OPTIONS', known).status).toBe(204);
    expect(answerMetadata('POST', known)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
  });

  it('lies where challenges point', () => {
    expect(resourceMetadataUrl('https://gw.example/', '/t/acme/mcp/files')).toBe(
      'https://gw.example/.well-known/oauth-protected-resource/t/acme/mcp/files',
    );
  });
});

describe('answerPreflight()', () => {
  const preflight = (origin: string, asked?: string) =>
    answerPreflight(
      httpRequest('OPTIONS', {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked ?? null,
      }),
      ['https://app.example'],
    );

  it('allows what an MCP client of an allowed origin sends, without credentials mode', () => {
    const answer = preflight('https://app.example', 'authorization, Mcp-Param-Region, x-evil');
    if (!answer.ok) throw new Error(answer.error.reason);
    expect(answer.value.status).toBe(204);
    expect(answer.value.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      vary: 'Origin',
    });
    const names = answer.value.headers['access-control-allow-headers']?.split(', ') ?? [];
    expect(names).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'dpop', 'mcp-session-id', 'mcp-param-region']),
    );
    expect(names).not.toContain('x-evil');
    expect(answer.value.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('refuses another origin', () => {
    expect(preflight('https://evil.example')).toMatchObject({
      ok: false,
      error: { reason: 'origin_forbidden' },
    });
  });
});
