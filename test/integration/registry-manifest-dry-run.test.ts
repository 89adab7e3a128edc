// Trying a manifest that nobody has signed: told what publishing it would answer, and nothing comes of it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { manifest2, tool } from '#test/support/manifest-world.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

let registry: TestRegistry;

const T = '/v1/tenants/acme';
const sample = sampleTenant('acme');
const { versions: _v, enabled: _e, activeVersion: _a, ...settings } = sample.servers[0] ?? {};

beforeAll(async () => {
  registry = await startTestRegistry();
  const put = (path: string, body: unknown) => registry.call('PUT', `${T}${path}`, { body });
  await put('', { displayName: 'Acme', accessContact: '' });
  await put('/issuers/home', sample.issuers[0]);
  const server = { ...settings, id: 'tracker', constraints: [] };
  expect((await put('/servers/tracker', server)).status).toBe(201);
});

afterAll(() => registry.stop());

const tryOut = (manifest: unknown, path = T): Promise<Answer> =>
  registry.call('POST', `${path}/manifests/dry-run`, {
    body: manifest,
    ...(path === T ? { roles: ['publisher:acme'] } : {}),
  });

it('says whether it would be published, and why not, field by field', async () => {
  expect(await tryOut(manifest2())).toMatchObject({
    status: 200,
    body: { server: 'tracker', version: '1.0.0', accepted: true, errors: [], warnings: [] },
  });
  const bad = manifest2({
    endpoints: ['https://elsewhere.example.com/mcp'],
    tools: [tool('a', { description: 'a\u200bb' })],
  });
  const refused = await tryOut(bad);
  expect(refused).toMatchObject({ status: 200, body: { accepted: false } });
  expect(refused.body.errors.map(({ pointer }) => pointer).toSorted()).toEqual([
    '/endpoints/0',
    '/tools/0/description',
  ]);
  expect((await tryOut(manifest2({ server: 'nothing' }))).body.errors).toMatchObject([
    { pointer: '/server' },
  ]);
});

it('refuses what is no manifest, and a tenant that is not there', async () => {
  expect((await tryOut('{"schemaVersion":')).body.type).toBe('urn:mcpgw:problem:manifest-not-json');
  expect(await tryOut(manifest2({ surprise: 1 }))).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/surprise' }] },
  });
  expect((await tryOut(manifest2(), '/v1/tenants/nobody')).status).toBe(404);
});

it('publishes nothing', async () => {
  const before = await registry.store.lastSequence();
  await tryOut(manifest2());
  expect(await registry.store.lastSequence()).toBe(before);
  expect((await registry.call('GET', `${T}/manifests`)).body.items).toEqual([]);
  expect((await registry.call('GET', `${T}/servers/tracker/versions`)).body.items).toEqual([]);
});
