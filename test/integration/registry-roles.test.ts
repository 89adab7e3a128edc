// Who may do what, cell by cell: every route of the running API with every role, in the caller's own tenant and in
// another one, with tokens of the deployment's admin issuer and of a tenant's own. The table below is the whole answer.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adminToken,
  startTestRegistry,
  TENANT_AUDIENCE,
  TENANT_ISSUER,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';

const PUBLISHING = ['admin', 'operator', 'auditor', 'publisher'];
const READING = ['admin', 'operator', 'auditor'];
const OPERATING = ['admin', 'operator'];
const AUDITING = ['admin', 'auditor'];
const ADMIN = ['admin'];
const APPROVING = ['admin', 'approver'];
const READING_CALLS = ['admin', 'approver', 'auditor'];
const PLATFORM: readonly string[] = [];

/** `open`: nobody is asked for a token. `caller`: anybody with a valid one. A platform-admin may everything. */
const T = '/v1/tenants/{tenant}';
const TABLE: Readonly<Record<string, readonly string[] | 'open' | 'caller'>> = {
  'GET /openapi.json': 'open',
  'GET /v1/tenants': 'caller',
  'GET /v1/consumers': PLATFORM,
  'GET /v1/nodes': PLATFORM,
  'GET /v1/nodes/{id}/config': PLATFORM,

  [`GET ${T}`]: READING,
  [`PUT ${T}`]: ADMIN,
  [`PATCH ${T}`]: ADMIN,
  [`DELETE ${T}`]: PLATFORM,

  [`GET ${T}/admin-issuer`]: READING,
  [`PUT ${T}/admin-issuer`]: PLATFORM,
  [`DELETE ${T}/admin-issuer`]: PLATFORM,
  [`GET ${T}/hosts`]: READING,
  [`PUT ${T}/hosts`]: PLATFORM,
  [`DELETE ${T}/hosts`]: PLATFORM,

  [`GET ${T}/issuers`]: READING,
  [`GET ${T}/issuers/{id}`]: READING,
  [`PUT ${T}/issuers/{id}`]: ADMIN,
  [`PATCH ${T}/issuers/{id}`]: ADMIN,
  [`DELETE ${T}/issuers/{id}`]: ADMIN,
  [`GET ${T}/issuers/{id}/signals`]: READING,

  [`GET ${T}/grants`]: READING,
  [`GET ${T}/grants/{id}`]: READING,
  [`PUT ${T}/grants/{id}`]: ADMIN,
  [`PATCH ${T}/grants/{id}`]: ADMIN,
  [`DELETE ${T}/grants/{id}`]: ADMIN,

  [`GET ${T}/publishers`]: READING,
  [`GET ${T}/publishers/{id}`]: READING,
  [`PUT ${T}/publishers/{id}`]: ADMIN,
  [`PATCH ${T}/publishers/{id}`]: ADMIN,
  [`DELETE ${T}/publishers/{id}`]: ADMIN,

  [`GET ${T}/policy`]: READING,
  [`PUT ${T}/policy`]: ADMIN,
  [`DELETE ${T}/policy`]: ADMIN,
  [`GET ${T}/policy-bundles`]: READING,
  [`POST ${T}/policy-bundles`]: ADMIN,
  [`GET ${T}/policy-bundles/{digest}`]: READING,
  [`DELETE ${T}/policy-bundles/{digest}`]: ADMIN,

  [`GET ${T}/servers`]: PUBLISHING,
  [`GET ${T}/servers/{id}`]: PUBLISHING,
  [`PUT ${T}/servers/{id}`]: ADMIN,
  [`PATCH ${T}/servers/{id}`]: ADMIN,
  [`DELETE ${T}/servers/{id}`]: ADMIN,
  [`PUT ${T}/servers/{id}/state`]: OPERATING,
  [`PUT ${T}/servers/{id}/active-version`]: ADMIN,
  [`GET ${T}/servers/{id}/traffic`]: READING,
  [`PUT ${T}/servers/{id}/traffic`]: ADMIN,
  [`DELETE ${T}/servers/{id}/traffic`]: ADMIN,
  [`GET ${T}/servers/{id}/limits`]: READING,
  [`GET ${T}/servers/{id}/drift`]: PUBLISHING,
  [`GET ${T}/servers/{id}/versions`]: PUBLISHING,
  [`GET ${T}/servers/{id}/versions/{version}`]: PUBLISHING,
  [`PUT ${T}/servers/{id}/versions/{version}`]: ADMIN,
  [`GET ${T}/servers/{id}/versions/{version}/review`]: PUBLISHING,
  [`POST ${T}/servers/{id}/versions/{version}/approve`]: ADMIN,
  [`POST ${T}/servers/{id}/versions/{version}/reject`]: ADMIN,
  [`GET ${T}/approvals`]: PUBLISHING,

  // Whoever sends one proves himself by its signature; a dry run is asked for the same way.
  [`POST ${T}/manifests`]: 'open',
  [`POST ${T}/manifests/dry-run`]: ['admin', 'publisher'],
  [`GET ${T}/manifests`]: PUBLISHING,
  [`GET ${T}/manifests/{digest}`]: PUBLISHING,

  [`GET ${T}/kill-switches`]: READING,
  [`GET ${T}/kill-switches/{id}`]: READING,
  [`PUT ${T}/kill-switches/{id}`]: OPERATING,
  [`DELETE ${T}/kill-switches/{id}`]: OPERATING,

  [`POST ${T}/streams/terminate`]: OPERATING,

  [`GET ${T}/revocations`]: READING,
  [`GET ${T}/revocations/{id}`]: READING,
  [`POST ${T}/revocations`]: OPERATING,

  [`GET ${T}/call-approvals`]: READING_CALLS,
  [`GET ${T}/call-approvals/{id}`]: READING_CALLS,
  [`POST ${T}/call-approvals/{id}/grant`]: APPROVING,
  [`POST ${T}/call-approvals/{id}/refuse`]: APPROVING,

  [`GET ${T}/revisions`]: READING,
  [`GET ${T}/revisions/{number}`]: READING,
  [`GET ${T}/revisions/{number}/diff`]: READING,
  [`POST ${T}/revisions/{number}/restore`]: ADMIN,
  [`GET ${T}/rollout/{revision}`]: READING,
  [`GET ${T}/audit`]: AUDITING,
};

const ROLES = ['admin', 'operator', 'auditor', 'publisher', 'approver'];

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startTestRegistry({ allowPrivate: true });
  for (const tenant of ['acme', 'beta']) {
    const body = { displayName: tenant, accessContact: '' };
    expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
  }
  const body = { issuer: TENANT_ISSUER, jwksUri: registry.keyServer.url, audience: TENANT_AUDIENCE };
  expect((await registry.call('PUT', '/v1/tenants/acme/admin-issuer', { body })).status).toBe(201);
});

afterAll(() => registry.stop());

const pathIn = (template: string, tenant: string): string =>
  template
    .replace('{tenant}', tenant)
    .replace('{digest}', '0'.repeat(64))
    .replace('{number}', '1')
    .replaceAll(/\{\w+\}/g, 'x');

/** Whether the door opens. Nothing is sent that a write could do anything with. */
const isAdmitted = async (route: string, tenant: string, token: string | undefined): Promise<boolean> => {
  const [method = '', template = ''] = route.split(' ');
  const response = await fetch(`${registry.url}${pathIn(template, tenant)}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const answer = (await response.json()) as { readonly type?: string };
  const isRefused = /:(forbidden|unauthenticated)$/.test(answer.type ?? '');
  if (isRefused) expect([401, 403]).toContain(response.status);
  return !isRefused;
};

const tenantToken = (roles: readonly string[]): Promise<string> =>
  adminToken(roles, { iss: TENANT_ISSUER, aud: TENANT_AUDIENCE });

type Cell = readonly [token: string, tenant: string, admitted: boolean];

const isForTenant = (route: string): boolean => route.includes('{tenant}');

/** What a token with this one role may do, by whichever issuer it was given. */
const cellsOf = async (route: string, role: string): Promise<readonly Cell[]> => {
  const allowed = TABLE[route] ?? [];
  const isFree = allowed === 'open' || allowed === 'caller';
  const own = isFree || (isForTenant(route) && allowed.includes(role));
  return [
    [await adminToken([`${role}:acme`]), 'acme', own],
    [await adminToken([`${role}:acme`]), 'beta', isFree],
    [await adminToken([role, `${role}:`, `${role}:*`, `${role.toUpperCase()}:acme`]), 'acme', isFree],
    [await tenantToken([role]), 'acme', own],
    [await tenantToken([`${role}:acme`]), 'acme', own],
    [await tenantToken([role, `${role}:beta`]), 'beta', isFree],
    [await tenantToken([`${role}:beta`]), 'acme', isFree],
  ];
};

describe('the table of roles', () => {
  it('has every route there is, and no other', async () => {
    const document = (await (await fetch(`${registry.url}/openapi.json`)).json()) as {
      readonly paths: Readonly<Record<string, object>>;
    };
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...routes, 'GET /openapi.json'].toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });

  it.each(Object.keys(TABLE))('holds for %s', async (route) => {
    for (const role of ROLES)
      for (const [index, [token, tenant, admitted]] of (await cellsOf(route, role)).entries())
        expect(await isAdmitted(route, tenant, token), `${role} ${index} ${tenant}`).toBe(admitted);
    const isFree = TABLE[route] === 'open' || TABLE[route] === 'caller';
    expect(await isAdmitted(route, 'acme', undefined), 'no token').toBe(TABLE[route] === 'open');
    expect(await isAdmitted(route, 'acme', await adminToken([])), 'no role').toBe(isFree);
    expect(await isAdmitted(route, 'beta', await adminToken(['platform-admin'])), 'platform').toBe(true);
    const usurper = await tenantToken(['platform-admin', 'platform-admin:acme', 'Admin', 'admin ']);
    expect(await isAdmitted(route, 'acme', usurper), 'platform-admin of a tenant').toBe(isFree);
  });
});
