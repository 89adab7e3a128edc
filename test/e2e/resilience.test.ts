// What breaks and what must not: each service killed without warning, changes made while calls run.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectLegacy } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, send, statelessRequest } from '#test/support/raw-call.ts';

let product: Product;
let tracker: string;
let alice: string;

beforeAll(async () => {
  product = await startProduct();
  tracker = product.serverUrl('tracker');
  alice = await product.token('alice');
}, 300_000);
afterAll(() => product.stop());

const list = () => send(tracker, statelessRequest('tools/list', {}, { token: alice }));

const until = async (what: string, condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`);
};

const works = async (): Promise<boolean> => (await list().catch(() => undefined))?.status === 200;

describe('kill -9', () => {
  it.each(['registry', 'xds-server'])('of %s leaves calls untouched, and it comes back', async (service) => {
    await product.kill(service);
    for (let call = 0; call < 10; call += 1) expect((await list()).status).toBe(200);
    await until(`${service} is back`, () => product.isReady(service));
    expect((await list()).status).toBe(200);
  });

  it('of ext-authz lets no call through, and it comes back', async () => {
    await product.pauseRestart('ext-authz');
    const closed = await list();
    expect(closed.status).toBe(503);
    expect(closed.message.error?.code).toBeLessThan(0);
    expect(closed.text).not.toContain('list_issues');
    await product.resumeRestart('ext-authz');
    await until('calls work again', works);
  });

  it('of ext-proc shows no list uncut, and it comes back', async () => {
    await product.pauseRestart('ext-proc');
    const closed = await list();
    expect(closed.status).toBeGreaterThanOrEqual(500);
    expect(closed.text).not.toContain('list_issues');
    const plain = await callTool(tracker, alice, { name: 'list_issues' });
    expect([200, 502]).toContain(plain.status);
    await product.resumeRestart('ext-proc');
    await until('lists work again', works);
  });

  it('of Envoy closes the door, and it comes back with the same configuration', async () => {
    await product.kill('envoy');
    await until('calls work again', works);
  });

  it('of the registry loses nothing that was acknowledged', async () => {
    const before = await product.registry('GET', '/v1/tenants/default/revisions');
    await product.kill('registry');
    await until('registry is back', () => product.isReady('registry'));
    const after = await product.registry('GET', '/v1/tenants/default/revisions');
    expect(after.body).toEqual(before.body);
  });
});

describe('changes through the API', () => {
  const path = '/v1/tenants/default/servers/tracker';

  const setEnabled = async (enabled: boolean): Promise<void> => {
    const current = await product.registry('GET', path);
    const changed = await product.registry('PUT', `${path}/state`, { enabled }, { 'if-match': current.etag });
    expect(changed.status, JSON.stringify(changed.body)).toBeLessThan(300);
  };

  it('switch a server off and on in well under a second', async () => {
    await setEnabled(false);
    const startedAt = Date.now();
    await until(
      'calls are refused',
      async () => (await list()).message.error?.data['reason'] === 'server_disabled',
      2_000,
    );
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    await setEnabled(true);
    await until('calls work again', works, 2_000);
  });

  it('end the live streams of a server that is switched off, and no stream of another', async () => {
    const reportsPath = '/v1/tenants/default/servers/reports';
    const { client } = await connectLegacy(
      product.serverUrl('reports'),
      await product.token('alice', '--server', 'reports'),
    );
    let events = 0;
    const stream = client.callTool({ name: 'watch_queue', arguments: { seconds: 60 } }, undefined, {
      onprogress: () => {
        events += 1;
      },
      timeout: 15_000,
      resetTimeoutOnProgress: true,
    });
    const ended = stream.then(
      () => 'finished',
      () => 'cut',
    );
    await until('the stream runs', async () => events >= 2);
    await setEnabled(false);
    await setEnabled(true);
    const heard = events;
    await until('the stream of the other server goes on', async () => events > heard + 1);
    const current = await product.registry('GET', reportsPath);
    await product.registry('PUT', `${reportsPath}/state`, { enabled: false }, { 'if-match': current.etag });
    const cutFrom = events;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(events - cutFrom).toBeLessThanOrEqual(2);
    await client.close();
    await ended;
    const off = await product.registry('GET', reportsPath);
    await product.registry('PUT', `${reportsPath}/state`, { enabled: true }, { 'if-match': off.etag });
  }, 60_000);

  it('put a new grant in force at once, and take it back', async () => {
    const paula = await product.token('paula');
    const attempt = async () =>
      (await callTool(tracker, paula, { name: 'search_documents', arguments: { query: 'x' } })).message
        .error === undefined;
    expect(await attempt()).toBe(false);
    const grant = {
      serverId: 'tracker',
      subjects: [{ kind: 'user', id: '20000000-cccc-4ccc-8ccc-00000000000c', issuerId: 'fabrikam' }],
      tools: ['search_documents'],
      prompts: [],
      resources: [],
    };
    const created = await product.registry('PUT', '/v1/tenants/default/grants/e2e-paula', grant, {
      'if-none-match': '*',
    });
    expect(created.status, JSON.stringify(created.body)).toBeLessThan(300);
    await until('the call is allowed', attempt, 2_000);
    const current = await product.registry('GET', '/v1/tenants/default/grants/e2e-paula');
    await product.registry('DELETE', '/v1/tenants/default/grants/e2e-paula', undefined, {
      'if-match': current.etag,
    });
    await until('the call is refused', async () => !(await attempt()), 2_000);
  });
});
