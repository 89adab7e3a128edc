// Who gets into the registry's API: real tokens, a real key server, its outages.

import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ADMIN_KEY,
  adminClaims,
  adminToken,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { createTestKey, publishKey, signWith } from '#test/support/token-issuer.ts';

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startTestRegistry();
  for (const tenant of ['acme', 'beta']) {
    const body = { displayName: tenant, accessContact: '' };
    expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
  }
});

afterAll(() => registry.stop());

const ISSUER = {
  kind: 'oidc',
  issuer: 'https://login.example.com',
  jwksUri: 'https://login.example.com/keys',
  relation: 'home',
};

const withToken = (token: string, target: TestRegistry = registry) =>
  target.call('GET', '/v1/tenants', { roles: null, headers: { authorization: `Bearer ${token}` } });

const PLATFORM = ['platform-admin'];
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

describe('a stranger', () => {
  it.each([
    ['a path that nobody serves', 'POST', '/v1/nothing', 404],
    ['a method that a path does not know', 'POST', '/v1/tenants/acme/servers', 405],
    ['a route', 'PUT', '/v1/tenants/acme', 401],
  ])('has no body read by way of %s', async (_what, method, path, status) => {
    const response = await fetch(`${registry.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: 'no JSON',
    });
    expect(response.status).toBe(status);
  });
});

describe('a token', () => {
  it('is asked for, with a challenge', async () => {
    const answer = await registry.call('GET', '/v1/tenants', { roles: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="registry"');
  });

  it.each<[string, () => Promise<string>]>([
    ['that has expired', () => adminToken(PLATFORM, { exp: nowSeconds() - 60 })],
    ['that never expires', () => adminToken(PLATFORM, { exp: undefined })],
    ['that is not valid yet', () => adminToken(PLATFORM, { nbf: nowSeconds() + 600 })],
    ['of another issuer', () => adminToken(PLATFORM, { iss: 'https://login.example.com/other' })],
    ['for another audience', () => adminToken(PLATFORM, { aud: 'gateway' })],
    ['without a subject', () => adminToken(PLATFORM, { sub: undefined })],
    ['whose roles are text', () => adminToken(PLATFORM, { roles: 'platform-admin' })],
    ['signed by a stranger', () => signWith(createTestKey('admin-1'), adminClaims(PLATFORM))],
    ['signed by a key nobody published', () => signWith(createTestKey('x'), adminClaims(PLATFORM))],
    ['that is not signed', async () => new UnsecuredJWT(adminClaims(PLATFORM) as never).encode()],
    [
      'signed with the public key as a secret',
      () =>
        new SignJWT(adminClaims(PLATFORM) as never)
          .setProtectedHeader({ alg: 'HS256', kid: 'admin-1' })
          .sign(Buffer.from(ADMIN_KEY.publicKey.export({ type: 'spki', format: 'pem' }))),
    ],
    ['that is none', async () => 'not.a.token'],
    ['that is endless', async () => 'a'.repeat(15_000)],
  ])('%s is refused', async (_name, build) => {
    const answer = await withToken(await build());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(answer.body.type).toBe('urn:mcpgw:problem:unauthenticated');
  });

  it('never reaches the log', async () => {
    const token = await adminToken(PLATFORM, { exp: nowSeconds() - 60 });
    await withToken(token);
    await withToken(await adminToken(PLATFORM));
    expect(registry.logLines.join('')).toContain('ERR_JWT_EXPIRED');
    expect(registry.logLines.join('')).not.toContain(token.split('.')[2]);
  });

  it('is asked for before the body is read', async () => {
    const answer = await registry.call('PUT', '/v1/tenants/acme', { roles: null, body: '{"broken' });
    expect(answer.status).toBe(401);
  });
});

describe('roles', () => {
  const reads = ['', '/issuers', '/servers', '/grants', '/revisions'];

  it.each(['admin', 'operator', 'auditor'])('%s of a tenant reads that tenant and no other', async (role) => {
    for (const path of reads) {
      const own = await registry.call('GET', `/v1/tenants/acme${path}`, { roles: [`${role}:acme`] });
      expect(own.status, path).toBe(200);
      const other = await registry.call('GET', `/v1/tenants/beta${path}`, { roles: [`${role}:acme`] });
      expect(other.status, path).toBe(403);
    }
    const list = await registry.call('GET', '/v1/tenants', { roles: [`${role}:acme`] });
    expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual(['acme']);
  });

  it('does not tell a tenant that exists from one that does not', async () => {
    const answers = await Promise.all(
      ['beta', 'nobody'].map((id) => registry.call('GET', `/v1/tenants/${id}`, { roles: ['admin:acme'] })),
    );
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  });

  const allowed: Record<string, readonly string[]> = {
    'PUT /issuers/home': ['admin'],
    'PATCH /issuers/home': ['admin'],
    'DELETE /issuers/home': ['admin'],
    'PUT /servers/none/active-version': ['admin'],
    'PUT /servers/none/state': ['admin', 'operator'],
    'POST /streams/terminate': ['admin', 'operator'],
    'GET /audit': ['admin', 'auditor'],
  };
  const bodies: Record<string, unknown> = {
    'PUT /issuers/home': ISSUER,
    'PATCH /issuers/home': {},
    'PUT /servers/none/active-version': { version: '1' },
    'PUT /servers/none/state': { enabled: false },
    'POST /streams/terminate': {},
  };

  it.each(Object.entries(allowed))('%s is for %s', async (route, roles) => {
    const [method = '', path = ''] = route.split(' ');
    for (const role of ['admin', 'operator', 'auditor', 'publisher', 'ADMIN', 'admin ']) {
      const call = { roles: [`${role}:acme`], ...(route in bodies ? { body: bodies[route] } : {}) };
      const answer = await registry.call(method, `/v1/tenants/acme${path}`, call);
      if (roles.includes(role)) expect(answer.status, role).not.toBe(403);
      else expect(answer.status, role).toBe(403);
    }
    const stranger = await registry.call(method, `/v1/tenants/acme${path}`, {
      roles: ['admin:beta', 'admin:', 'admin:*', 'admin'],
      ...(route in bodies ? { body: bodies[route] } : {}),
    });
    expect(stranger.status).toBe(403);
    expect(stranger.body.detail).toContain('admin:acme');
  });

  it('of a tenant neither create nor remove one, nor see the fleet', async () => {
    const body = { displayName: 'x', accessContact: '' };
    const roles = ['admin:gamma'];
    expect((await registry.call('PUT', '/v1/tenants/gamma', { roles, body })).status).toBe(403);
    expect((await registry.call('DELETE', '/v1/tenants/acme', { roles: ['admin:acme'] })).status).toBe(403);
    expect((await registry.call('GET', '/v1/consumers', { roles: ['admin:acme'] })).status).toBe(403);
  });

  it('show their tenants, those there are, and have no other read', async () => {
    const roles = ['auditor:beta', 'admin:nowhere', 'admin:', 'owner:acme', 'admin:acme '];
    const everything = vi.spyOn(registry.store, 'listTenants');
    const { body } = await registry.call('GET', '/v1/tenants', { roles });
    expect(body.items).toMatchObject([{ id: 'beta' }]);
    expect(everything).not.toHaveBeenCalled();
    everything.mockRestore();
    const all = await registry.call('GET', '/v1/tenants', { roles: PLATFORM });
    expect(all.body.items).toMatchObject([{ id: 'acme' }, { id: 'beta' }]);
  });

  it('may be missing: such a caller sees nothing', async () => {
    const answer = await registry.call('GET', '/v1/tenants', { roles: [] });
    expect(answer.body).toEqual({ items: [] });
  });
});

describe('the keys of the admin issuer', () => {
  it('are needed: without them there is a 503, not a way in', async () => {
    const fresh = await startTestRegistry();
    fresh.keyServer.answer = { status: 500, body: 'down' };
    const answer = await fresh.call('GET', '/v1/tenants');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    await fresh.stop();
  });

  it('once known, survive the outage of their server', async () => {
    const fresh = await startTestRegistry();
    expect((await fresh.call('GET', '/v1/tenants')).status).toBe(200);
    await fresh.keyServer.stop();
    expect((await fresh.call('GET', '/v1/tenants')).status).toBe(200);
    expect((await withToken(await signWith(createTestKey('new'), adminClaims(PLATFORM)), fresh)).status).toBe(
      401,
    );
    await fresh.stop().catch(() => undefined);
  });

  it('are not fetched again for every invented key id', async () => {
    const fresh = await startTestRegistry();
    await fresh.call('GET', '/v1/tenants');
    const stranger = createTestKey('stranger');
    for (let n = 0; n < 20; n += 1) {
      const token = await signWith(stranger, adminClaims(PLATFORM), { kid: `invented-${n}` });
      expect((await withToken(token, fresh)).status).toBe(401);
    }
    expect(fresh.keyServer.hits).toBeLessThan(4);
    await fresh.stop();
  });

  it.each([
    ['its own', 'https://login.example.com/admins', 200],
    ['another', 'https://login.example.com/elsewhere', 401],
    ['any directory of Entra, which this issuer is not', 'https://login.example.com/{tenantid}', 401],
  ])('published with the issuer %s count accordingly', async (_name, issuer, status) => {
    const fresh = await startTestRegistry({ keyMembers: { issuer } });
    expect((await fresh.call('GET', '/v1/tenants')).status).toBe(status);
    await fresh.stop();
  });

  it('are refreshed when a new one is used', async () => {
    const fresh = await startTestRegistry();
    const rotated = createTestKey('rotated');
    fresh.keyServer.answer = { status: 200, body: JSON.stringify({ keys: [publishKey(rotated)] }) };
    expect((await withToken(await signWith(rotated, adminClaims(PLATFORM)), fresh)).status).toBe(200);
    await fresh.stop();
  });
});
