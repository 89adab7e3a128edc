// Unit tests of resource.ts and granted-scopes.ts: which server a request is for, and which of its scopes.

import { describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { IssuerBinding } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { grantedScopes } from '#oauth-facade/authorize/granted-scopes.ts';
import { findResource } from '#oauth-facade/authorize/resource.ts';
import { fillDirectory } from '#oauth-facade/provider/endpoints.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const GATEWAY = 'https://gw.example';

const sample = sampleTenant('acme');
const [home] = sample.issuers;
const [tracker] = sample.servers;
const [bound] = tracker?.bindings ?? [];
const [version] = tracker?.versions ?? [];
if (home === undefined || tracker === undefined || bound === undefined || version === undefined)
  throw new Error('the sample has changed');

const other: TrustedIssuer = { ...home, id: 'other', kind: 'oidc', issuer: 'https://other.example' };

const tenantWith = (changes: Partial<Tenant>, bindings: readonly IssuerBinding[] = [bound]): Tenant => ({
  ...sample,
  issuers: [home, other],
  servers: [{ ...tracker, bindings }],
  ...changes,
});

const find = (resource: string, tenant = tenantWith({}), issuer: TrustedIssuer = home) =>
  findResource({ tenant, issuer }, resource, GATEWAY)?.resource;

describe('findResource()', () => {
  it('finds a server by the addresses its metadata has, at the gateway and at the tenant’s own hosts', () => {
    const long = '/t/acme/mcp/tracker';
    const hosts = { names: ['mcp.acme.example'] };
    expect(find(`${GATEWAY}${long}`)).toBe(`${GATEWAY}${long}`);
    for (const path of [long, '/mcp/tracker'])
      expect(find(`https://mcp.acme.example${path}`, tenantWith({ hosts }))).toBeDefined();
    expect(find('https://gw.example/mcp/tracker', tenantWith({ id: 'default' }))).toBeDefined();
  });

  it.each([
    [`${GATEWAY}/mcp/tracker`],
    [`${GATEWAY}/t/other/mcp/tracker`],
    ['https://mcp.acme.example/mcp/tracker'],
    ['http://gw.example/t/acme/mcp/tracker'],
    [`${GATEWAY}/t/acme/mcp/tracker/`],
    [`${GATEWAY}//t/acme/mcp/tracker`],
    [`${GATEWAY}.evil.example/t/acme/mcp/tracker`],
    ['/t/acme/mcp/tracker'],
    [''],
  ])('finds nothing at %s', (resource) => {
    expect(find(resource)).toBeUndefined();
  });

  it('finds no server that is bound to other issuers only', () => {
    expect(find(`${GATEWAY}/t/acme/mcp/tracker`, tenantWith({}), other)).toBeUndefined();
  });
});

describe('grantedScopes()', () => {
  const bindings = [bound, { issuerId: 'other', audiences: ['x'], requiredScopes: ['other.read'] }];
  const resource = `${GATEWAY}/t/acme/mcp/tracker`;
  const [tool] = version.tools;
  const toolsNeed = (requiredScopes: readonly string[]): Tenant => {
    const tools = tool === undefined ? [] : [{ ...tool, requiredScopes }];
    return tenantWith({ servers: [{ ...tracker, bindings, versions: [{ ...version, tools }] }] });
  };
  const ask = (scope: string | undefined, tenant = toolsNeed([])) => {
    const [server = tracker] = tenant.servers;
    const granted = grantedScopes({ tenant, server, resource }, 'home', scope);
    return granted.ok ? granted.value : granted.error.error;
  };

  it('gives what every call needs to whoever asks for nothing, or for words of OpenID Connect only', () => {
    for (const asked of [undefined, '', 'openid profile offline_access'])
      expect(ask(asked)).toEqual(['api://gateway-tracker/tools.use']);
  });

  it('gives what a tool needs, as the challenge of a step up names it', () => {
    const asked = 'api://gateway-tracker/tools.use api://gateway-tracker/issues.write';
    expect(ask(asked)).toBe('invalid_scope');
    expect(ask(asked, toolsNeed(['issues.write']))).toEqual([
      'api://gateway-tracker/issues.write',
      'api://gateway-tracker/tools.use',
    ]);
  });

  it('leaves out what the metadata names for another issuer, and refuses what it names for none', () => {
    expect(ask('other.read api://gateway-tracker/tools.use')).toEqual(['api://gateway-tracker/tools.use']);
    expect(ask('other.read')).toBe('invalid_scope');
    expect(ask('other.write api://gateway-tracker/tools.use')).toBe('invalid_scope');
  });
});

it('signs people in at the one directory there is, or lets Entra find out which of several', () => {
  const template = 'https://login.example/{tenantid}/token';
  expect(fillDirectory(template, { directoryTenants: ['a'] })).toBe('https://login.example/a/token');
  expect(fillDirectory(template, { directoryTenants: ['a', 'b'] })).toBe(
    'https://login.example/organizations/token',
  );
});
