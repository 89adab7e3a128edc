// A second tenant, brought in through the API while the product runs: live at once, with servers of the same name, and
// no way from one to the other.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSeedWorld } from '#demo/seed-world.ts';
import { elapsed } from '#test/support/elapsed.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';

let product: Product;
let acme: string;
let alice: string;
let bob: string;

beforeAll(async () => {
  product = await startProduct();
  acme = `${product.quickstart.gateway}/t/acme/mcp/tracker`;
  alice = await product.token('alice');
  bob = await product.token('bob');
}, 300_000);
afterAll(() => product.stop());

const list = (url: string, token: string): Promise<RawAnswer> =>
  send(url, statelessRequest('tools/list', {}, { token }));

const reasonOf = (answer: RawAnswer): unknown => answer.message.error?.data['reason'];

const create = async (path: string, body: object): Promise<void> => {
  const answer = await product.registry('PUT', `/v1/tenants/acme${path}`, body, { 'if-none-match': '*' });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

const replace = async (path: string, body: object): Promise<void> => {
  const { etag } = await product.registry('GET', `/v1/tenants/acme${path.replace('/active-version', '')}`);
  const answer = await product.registry('PUT', `/v1/tenants/acme${path}`, body, { 'if-match': etag });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

/** The demo's contoso issuer and tracker again, granted to nobody but bob, and for one tool only. */
const bringAcme = async (): Promise<void> => {
  const { environment } = product.process;
  const world = buildSeedWorld({
    providerOrigin: new URL(product.quickstart.issuer).origin,
    trackerPort: Number(environment['DEMO_TRACKER_PORT']),
    reportsPort: Number(environment['DEMO_REPORTS_PORT']),
  });
  const issuer = world.issuers.find((candidate) => candidate.id === 'contoso');
  const tracker = world.servers.find((candidate) => candidate.id === 'tracker');
  if (issuer === undefined || tracker === undefined) throw new Error('the sample world has changed');
  const { id: _id, ...issuerSettings } = issuer;
  const bindings = tracker.settings.bindings.filter((binding) => binding.issuerId === 'contoso');
  await create('', {
    displayName: 'Acme',
    accessContact: 'zoe@acme.example',
    allowedOrigins: [],
    fourEyes: false,
  });
  await create('/issuers/contoso', issuerSettings);
  await create('/servers/tracker', { ...tracker.settings, bindings });
  await create('/servers/tracker/versions/7.0.0', tracker.version);
  await replace('/servers/tracker/active-version', { version: '7.0.0' });
  const subjects = [{ kind: 'user', id: '10000000-bbbb-4bbb-8bbb-00000000000b' }];
  await create('/grants/bob', {
    serverId: 'tracker',
    subjects,
    tools: ['whoami'],
    prompts: [],
    resources: [],
  });
};

describe('a second tenant', () => {
  it('is not there, and then is in well under a second', async () => {
    expect(reasonOf(await list(acme, bob))).toBe('endpoint_unknown');
    await bringAcme();
    expect(await elapsed(async () => reasonOf(await list(acme, bob)) !== 'endpoint_unknown')).toBeLessThan(
      1_000,
    );
  });

  it('has secrets of its own: a name that another tenant uses leads to no file of that tenant', async () => {
    const before = await callTool(acme, bob, { name: 'whoami' });
    expect(reasonOf(before), before.text).toBe('exchange_misconfigured');
    const directory = join(product.process.localDirectory, 'secrets', 'acme');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, 'gateway-tracker'), 'gateway-tracker-demo-secret', { mode: 0o600 });
    const after = await callTool(acme, bob, { name: 'whoami' });
    expect(after.message.error, after.text).toBeUndefined();
  });

  it('has grants of its own: what one tenant gave is worth nothing in the other', async () => {
    const names = async (url: string, token: string) =>
      ((await list(url, token)).message.result?.['tools'] as { name: string }[] | undefined)?.map(
        ({ name }) => name,
      );
    expect(await names(acme, bob)).toEqual(['whoami']);
    expect(await names(product.serverUrl('tracker'), bob)).toContain('create_issue');
    const refused = await list(acme, alice);
    expect(reasonOf(refused)).toBe('caller_not_granted');
    expect(refused.message.error?.data['contact']).toBe('zoe@acme.example');
  });

  it('cannot reach a partner issuer it does not trust', async () => {
    expect(reasonOf(await list(acme, await product.token('paula')))).toBe('directory_tenant_refused');
  });

  it('is gone at once when it is removed, and the others do not notice', async () => {
    const { etag } = await product.registry('GET', '/v1/tenants/acme');
    const removed = await product.registry('DELETE', '/v1/tenants/acme', undefined, { 'if-match': etag });
    expect(removed.status, JSON.stringify(removed.body)).toBeLessThan(300);
    expect(await elapsed(async () => reasonOf(await list(acme, bob)) === 'endpoint_unknown')).toBeLessThan(
      1_000,
    );
    expect((await list(product.serverUrl('tracker'), alice)).status).toBe(200);
  });
});
