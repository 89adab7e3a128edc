// WebSockets through the whole product: a server that is reached by them, from its registration to the switch that ends
// what is open, while parts of the gateway die around it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import { COUNT_TOOL } from '#test/support/counting-server.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import {
  openSocket,
  type SocketClient,
  type SocketServer,
  startSocketServer,
} from '#test/support/web-socket.ts';
import { until } from '#test/support/xds-gateway.ts';

const TENANT = '/v1/tenants/acme';
const ALICE = '10000000-aaaa-4aaa-8aaa-00000000000a';
const BOB = '10000000-bbbb-4bbb-8bbb-00000000000b';

let product: Product;
let server: SocketServer;

const create = async (path: string, body: object): Promise<void> => {
  const answer = await product.registry('PUT', `${TENANT}${path}`, body, { 'if-none-match': '*' });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

const grant = (id: string, user: string, prompts: readonly string[]) =>
  create(`/grants/${id}`, {
    serverId: 'live',
    subjects: [{ kind: 'user', id: user }],
    tools: ['*'],
    prompts,
    resources: ['*'],
  });

/** A tenant with one server that is spoken to by WebSocket; alice may use all of it, bob has no prompts. */
const register = async (): Promise<void> => {
  const origin = new URL(product.quickstart.issuer).origin;
  const [contoso] = buildSeedWorld({ providerOrigin: origin, trackerPort: 1, reportsPort: 2 }).issuers;
  if (contoso === undefined) throw new Error('the sample world has changed');
  const { id, ...issuer } = contoso;
  await create('', {
    displayName: 'Acme',
    accessContact: 'zoe@acme.example',
    allowedOrigins: [],
    fourEyes: false,
  });
  await create(`/issuers/${id}`, issuer);
  await create('/servers/live', {
    displayName: 'Live',
    allowedHosts: [new URL(server.url).host],
    upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
    bindings: [{ issuerId: id, audiences: [APPLICATION_IDS.gatewayTracker], requiredScopes: ['tools.use'] }],
    constraints: [],
    refusalStatus: 200,
    maxBodyBytes: 65_536,
  });
  await grant('all', ALICE, ['*']);
  await grant('no-prompts', BOB, []);
  await create('/servers/live/versions/1.0.0', {
    endpoints: [server.url],
    transport: 'websocket',
    protocolVersions: ['2025-11-25'],
    tools: [COUNT_TOOL],
  });
  const path = `${TENANT}/servers/live/active-version?wait=applied&waitSeconds=30`;
  const served = await product.registry('PUT', path, { version: '1.0.0' }, { 'if-match': '*' });
  expect(served.status, JSON.stringify(served.body)).toBe(200);
};

const open = async (user: string): Promise<SocketClient> => {
  const authorization = `Bearer ${await product.token(user)}`;
  return openSocket(`${product.quickstart.gateway}/t/acme/mcp/live`, { authorization });
};

const says = async (client: SocketClient, text: string): Promise<void> => {
  client.send(text);
  await until(`${text} comes back`, () => client.received.includes(`echo:${text}`), 20_000);
};

beforeAll(async () => {
  [product, server] = await Promise.all([startProduct(), startSocketServer()]);
  await register();
}, 300_000);
afterAll(async () => {
  await product?.stop();
  await server?.stop();
});

describe('a WebSocket', () => {
  it('is open to whoever may use all of the server, and to nobody else', async () => {
    const client = await open('alice');
    expect(client.status, client.text).toBe(101);
    await says(client, '{"jsonrpc":"2.0","id":1,"method":"ping"}');
    expect(server.opened.at(-1)).not.toHaveProperty('authorization');
    client.close();
    const refused = await open('bob');
    expect([refused.status, JSON.parse(refused.text).error.data.reason]).toEqual([
      403,
      'websocket_needs_full_access',
    ]);
  });

  it('outlives the control plane and the service that let it in', async () => {
    const client = await open('alice');
    for (const part of ['xds-server', 'registry', 'ext-authz']) {
      await product.kill(part);
      await says(client, `without ${part}`);
      await until(`${part} is back`, () => product.isReady(part), 60_000);
    }
    expect(client.isOpen()).toBe(true);
    client.close();
  });

  it('ends with a switch on its server, and is let in again once that is released', async () => {
    const client = await open('alice');
    await says(client, 'before');
    const off = `${TENANT}/kill-switches/live`;
    const target = { kind: 'server', serverId: 'live' };
    const thrown = await product.registry(
      'PUT',
      off,
      { target, reason: 'misused' },
      { 'if-none-match': '*' },
    );
    expect(thrown.status, JSON.stringify(thrown.body)).toBeLessThan(300);
    await until('it is ended', () => !client.isOpen(), 20_000);
    expect((await open('alice')).status).toBe(503);
    const { etag } = await product.registry('GET', off);
    const released = await product.registry('DELETE', off, undefined, {
      'if-match': etag,
      'x-change-reason': 'mended',
    });
    expect(released.status).toBeLessThan(300);
    await until(
      'it is let in',
      async () => {
        const again = await open('alice');
        again.close();
        return again.status === 101;
      },
      30_000,
    );
  });
});
