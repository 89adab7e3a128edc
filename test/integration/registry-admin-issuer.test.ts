// A tenant's own admin issuer: how it is given and taken away, and that its tokens lead to that tenant or nowhere.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMIN_AUDIENCE,
  ADMIN_ISSUER,
  adminClaims,
  adminToken,
  startTestRegistry,
  TENANT_AUDIENCE,
  TENANT_ISSUER,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';

const KEY = createTestKey('acme-1');
const PATH = '/v1/tenants/acme/admin-issuer';

let registry: TestRegistry;
let keyServer: KeyServer;

const adminIssuer = (changes: object = {}) => ({
  issuer: TENANT_ISSUER,
  jwksUri: keyServer.url,
  audience: TENANT_AUDIENCE,
  ...changes,
});

beforeEach(async () => {
  keyServer = await startKeyServer([publishKey(KEY)]);
  registry = await startTestRegistry({ allowPrivate: true });
  for (const tenant of ['acme', 'beta']) {
    const body = { displayName: tenant, accessContact: '' };
    expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
  }
});

afterEach(async () => {
  await registry.stop();
  await keyServer.stop();
});

const put = (body: object, headers: Record<string, string> = {}, path = PATH) =>
  registry.call('PUT', path, { body, headers });

const tokenOf = (changes: object = {}, key = KEY): Promise<string> =>
  signWith(key, adminClaims(['admin'], { iss: TENANT_ISSUER, aud: TENANT_AUDIENCE, ...changes }));

const readWith = async (token: string, tenant = 'acme') =>
  registry.call('GET', `/v1/tenants/${tenant}`, {
    roles: null,
    headers: { authorization: `Bearer ${token}` },
  });

describe('an admin issuer of a tenant', () => {
  it('is read, replaced and removed like any resource, and its default claim is filled in', async () => {
    expect((await registry.call('GET', PATH)).status).toBe(404);
    const made = await put(adminIssuer());
    expect(made).toMatchObject({ status: 201, body: { ...adminIssuer(), rolesClaim: 'roles' } });
    expect(await registry.call('GET', PATH)).toMatchObject({ status: 200, etag: made.etag, body: made.body });
    expect((await put(adminIssuer({ audience: 'other' }))).status).toBe(428);
    const replaced = await put(adminIssuer({ audience: 'other' }), { 'if-match': made.etag });
    expect(replaced.status).toBe(200);
    const headers = { 'if-match': replaced.etag };
    expect((await registry.call('DELETE', PATH, { headers })).status).toBe(204);
    expect((await registry.call('DELETE', PATH, { headers: { 'if-match': '*' } })).status).toBe(404);
    expect(
      (await registry.call('PUT', '/v1/tenants/none/admin-issuer', { body: adminIssuer() })).status,
    ).toBe(404);
  });

  it('is refused with the field at fault', async () => {
    const invalid = await put(adminIssuer({ issuer: 'login', jwksUri: 'ftp://keys.example.com' }));
    expect(invalid.status).toBe(422);
    expect(invalid.body.errors.map(({ pointer }) => pointer).toSorted()).toEqual(['/issuer', '/jwksUri']);
    expect((await put(adminIssuer({ roles: ['admin'] }))).body.errors).toMatchObject([{ pointer: '/roles' }]);
    expect((await put({})).body.errors.map(({ pointer }) => pointer)).toEqual([
      '/issuer',
      '/jwksUri',
      '/audience',
    ]);
  });

  it('may be shared by tenants only with an audience for each', async () => {
    expect((await put(adminIssuer())).status).toBe(201);
    const same = await put(adminIssuer(), {}, '/v1/tenants/beta/admin-issuer');
    expect(same).toMatchObject({ status: 409, body: { errors: [{ pointer: '/audience' }] } });
    expect(same.body.errors[0]?.message).toContain('tenant acme');
    const platform = adminIssuer({ issuer: ADMIN_ISSUER, audience: ADMIN_AUDIENCE });
    expect((await put(platform, { 'if-match': '*' })).status).toBe(409);
    expect((await put(adminIssuer({ audience: 'beta' }), {}, '/v1/tenants/beta/admin-issuer')).status).toBe(
      201,
    );
    expect((await readWith(await tokenOf())).status).toBe(200);
    expect((await readWith(await tokenOf(), 'beta')).status).toBe(403);
    expect((await readWith(await tokenOf({ aud: 'beta' }), 'beta')).status).toBe(200);
    expect((await readWith(await tokenOf({ aud: 'beta' }))).status).toBe(403);
    expect((await readWith(await tokenOf({ aud: ['beta', TENANT_AUDIENCE] }))).status).toBe(401);
  });

  it('lists its own tenant and leaves its principal in the revision', async () => {
    await put(adminIssuer());
    const headers = { authorization: `Bearer ${await tokenOf()}` };
    const list = await registry.call('GET', '/v1/tenants', { roles: null, headers });
    expect(list.body.items).toMatchObject([{ id: 'acme' }]);
    const match = { 'if-match': '*', ...headers };
    const body = { displayName: 'Acme', accessContact: '' };
    expect(
      (await registry.call('PUT', '/v1/tenants/acme', { roles: null, headers: match, body })).status,
    ).toBe(200);
    const { items } = (await registry.call('GET', '/v1/tenants/acme/revisions')).body;
    expect(items[0]).toMatchObject({ actor: JSON.stringify([TENANT_ISSUER, 'ada']) });
    // Settings were replaced, the issuer is none of them.
    expect((await registry.call('GET', PATH)).status).toBe(200);
  });

  it('names its roles in the claim it says, also by a path', async () => {
    await put(adminIssuer({ rolesClaim: 'realm_access.roles' }));
    expect((await readWith(await tokenOf())).status).toBe(403);
    expect((await readWith(await tokenOf({ roles: [], realm_access: { roles: ['auditor'] } }))).status).toBe(
      200,
    );
    expect((await readWith(await tokenOf({ realm_access: { roles: 'admin' } }))).status).toBe(401);
  });

  it('counts from its commit and to its commit', async () => {
    const token = await tokenOf();
    expect((await readWith(token)).status).toBe(401);
    const made = await put(adminIssuer());
    expect((await readWith(token)).status).toBe(200);
    const replaced = await put(adminIssuer({ audience: 'next' }), { 'if-match': made.etag });
    expect((await readWith(token)).status).toBe(401);
    const next = await tokenOf({ aud: 'next' });
    expect((await readWith(next)).status).toBe(200);
    await registry.call('DELETE', PATH, { headers: { 'if-match': replaced.etag } });
    expect((await readWith(next)).status).toBe(401);
    // The tenant is removed and made again: what it trusted is not back.
    await put(adminIssuer());
    await registry.call('DELETE', '/v1/tenants/acme', { headers: { 'if-match': '*' } });
    expect((await readWith(token)).status).toBe(401);
    await registry.call('PUT', '/v1/tenants/acme', { body: { displayName: 'acme', accessContact: '' } });
    expect((await readWith(token)).status).toBe(401);
  });

  it('does not come back with a restored revision', async () => {
    const made = await put(adminIssuer());
    const revision = (await registry.call('GET', '/v1/tenants/acme')).body.revision;
    await registry.call('DELETE', PATH, { headers: { 'if-match': made.etag } });
    const restored = await registry.call('POST', `/v1/tenants/acme/revisions/${revision}/restore`, {
      headers: { 'if-match': '*' },
    });
    expect(restored).toMatchObject({ status: 200, body: { stillDifferent: ['admin-issuer: removed'] } });
    expect((await registry.call('GET', PATH)).status).toBe(404);
  });
});

describe('a token of it', () => {
  it('is refused where it is not plainly right', async () => {
    await put(adminIssuer());
    const stranger = createTestKey('acme-1');
    const now = Math.floor(Date.now() / 1_000);
    const tokens = [
      await tokenOf({}, stranger),
      await tokenOf({ exp: now - 60 }),
      await tokenOf({ sub: undefined }),
      await tokenOf({ iss: `${TENANT_ISSUER}/` }),
      await tokenOf({ aud: undefined }),
      await tokenOf({ iss: ADMIN_ISSUER, aud: ADMIN_AUDIENCE }),
      await adminToken(['admin'], { iss: TENANT_ISSUER, aud: TENANT_AUDIENCE }),
    ];
    for (const [index, token] of tokens.entries())
      expect((await readWith(token)).status, String(index)).toBe(401);
  });

  it('waits for keys that cannot be had: 503, one question per pause', async () => {
    keyServer.answer = { status: 500, body: 'down' };
    await put(adminIssuer());
    for (let n = 0; n < 5; n += 1) expect((await readWith(await tokenOf())).status).toBe(503);
    expect(keyServer.hits).toBe(1);
    expect((await readWith(await adminToken(['admin:acme']))).status).toBe(200);
  });

  it('goes on being accepted while the key server is away', async () => {
    await put(adminIssuer());
    expect((await readWith(await tokenOf())).status).toBe(200);
    keyServer.answer = { status: 500, body: 'down' };
    expect((await readWith(await tokenOf())).status).toBe(200);
    for (let n = 0; n < 10; n += 1)
      expect((await readWith(await tokenOf({}, createTestKey(`invented-${n}`)))).status).toBe(401);
    expect(keyServer.hits).toBeLessThan(4);
  });
});

describe('the keys of it', () => {
  it('are fetched through the egress guard', async () => {
    const guarded = await startTestRegistry();
    const body = { displayName: 'acme', accessContact: '' };
    await guarded.call('PUT', '/v1/tenants/acme', { body });
    const refused = await guarded.call('PUT', PATH, { body: adminIssuer() });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/jwksUri' }] } });
    await guarded.stop();
  });
});
