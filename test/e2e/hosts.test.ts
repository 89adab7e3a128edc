// Tenants by their own host names, on the whole product with the real Envoy: which tenant a name leads to, what it does not
// lead to, and what clients are told at it.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Agent, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountingServer, startCountingServer } from '#test/support/counting-server.ts';
import { elapsed } from '#test/support/elapsed.ts';
import { type Answer, httpCall } from '#test/support/http-call.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { bringTenant, type ProductTenant } from '#test/support/product-tenant.ts';
import { statelessRequest } from '#test/support/raw-call.ts';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';
import { startVersionServer, type VersionServer } from '#test/support/version-server.ts';

const ISSUER = 'https://idp.example/hosts';
const KEY = createTestKey('hosts-1');
const HOST = 'mcp.acme.example';

let product: Product;
let keys: KeyServer;
let acme: ProductTenant;
let beta: ProductTenant;
let upstreams: VersionServer[];
let counter: CountingServer;
let token: string;
let port: string;

/** Two servers of these ids in a tenant; `tracker` is also one of the default tenant. */
const furnish = async (tenant: ProductTenant, upstream: VersionServer): Promise<void> => {
  const claims = { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' };
  const issuer = { kind: 'oidc', issuer: ISSUER, jwksUri: keys.url, relation: 'home', claims };
  await tenant.create('/issuers/idp', issuer);
  for (const id of ['clock', 'tracker']) {
    const bindings = [{ issuerId: 'idp', audiences: ['hosts'], requiredScopes: [`${id}.use`] }];
    await tenant.register(id, { upstream, tools: ['which'], bindings });
    await tenant.grant(id, { serverId: id, subjects: [{ kind: 'user', id: 'ann', issuerId: 'idp' }] });
  }
};

beforeAll(async () => {
  keys = await startKeyServer([publishKey(KEY)]);
  const [one, two] = await Promise.all(
    ['1.0.0-acme', '1.0.0-beta'].map((name) => startVersionServer(name, ['which'])),
  );
  if (one === undefined || two === undefined) throw new Error('no upstream');
  upstreams = [one, two];
  product = await startProduct();
  port = new URL(product.quickstart.gateway).port;
  acme = await bringTenant(product, 'acme');
  beta = await bringTenant(product, 'beta');
  await furnish(acme, one);
  await furnish(beta, two);
  counter = await startCountingServer('acme');
  const bindings = [{ issuerId: 'idp', audiences: ['hosts'], requiredScopes: ['counter.use'] }];
  const counting = { url: counter.url, version: '1.0.0' };
  await acme.register('counter', { upstream: counting, tools: ['count'], bindings });
  await acme.grant('counter', {
    serverId: 'counter',
    subjects: [{ kind: 'user', id: 'ann', issuerId: 'idp' }],
  });
  const now = Math.floor(Date.now() / 1_000);
  const scope = 'clock.use tracker.use counter.use';
  token = await signWith(KEY, {
    iss: ISSUER,
    aud: 'hosts',
    sub: 'ann',
    azp: 'c',
    scope,
    iat: now - 10,
    exp: now + 3_000,
  });
}, 300_000);
afterAll(async () => {
  await product?.stop();
  await Promise.all([keys, counter, ...(upstreams ?? [])].map((part) => part?.stop()));
});

type Call = {
  readonly host?: string;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
};

const post = (path: string, { host = HOST, headers = {}, ...call }: Call = {}): Promise<Answer> => {
  const bearer = call.token === null ? {} : { token: call.token ?? token };
  const request = statelessRequest('tools/call', { name: 'which', arguments: {} }, bearer);
  return httpCall(product.quickstart.gateway, path, {
    method: request.method,
    headers: { ...request.headers, host, ...headers },
    body: request.body,
  });
};

/** The version that answered, or the reason of the refusal. */
const outcomeOf = ({ status, text }: Answer): string =>
  /1\.0\.0-\w+/.exec(text)?.[0] ?? /"reason":"(\w+)"/.exec(text)?.[1] ?? `status ${status}`;

const call = async (path: string, options?: Call): Promise<string> => outcomeOf(await post(path, options));

const putHosts = (tenant: string, names: readonly string[], condition: 'if-match' | 'if-none-match') =>
  product.registry('PUT', `/v1/tenants/${tenant}/hosts`, { names }, { [condition]: '*' });

/** How often Envoy has taken a new listener, route or cluster. */
const envoyUpdates = async (): Promise<string> => {
  const admin = `http://127.0.0.1:${product.process.environment['ENVOY_ADMIN_PORT']}`;
  const stats = await fetch(`${admin}/stats?filter=(lds|cds|\\.rds)\\..*(update_success|config_reload)$`);
  // Fetched when the first request finds its scope; it says the same for every tenant.
  return (await stats.text())
    .split('\n')
    .filter((line) => !line.includes('.hosted.'))
    .join('\n');
};

describe('a host name of a tenant', () => {
  it('leads nowhere before it is given, and to its tenant within a second after', async () => {
    expect(await call('/mcp/clock')).toBe('endpoint_unknown');
    const before = await envoyUpdates();
    expect(before).toMatch(/update_success: [1-9]/);
    const given = await putHosts('acme', [HOST], 'if-none-match');
    expect(given.status, JSON.stringify(given.body)).toBe(201);
    expect(await elapsed(async () => (await call('/mcp/clock')) === '1.0.0-acme')).toBeLessThan(1_000);
    // Envoy was told of scopes, and of no listener, cluster or route: no stream of anybody was touched.
    expect(await envoyUpdates()).toBe(before);
  });

  it('leads to the tenant’s server where the default tenant has one of the same id', async () => {
    expect(await call('/mcp/tracker')).toBe('1.0.0-acme');
    expect(await call('/mcp/tracker', { host: `127.0.0.1:${port}` })).toBe('issuer_unknown');
  });

  it('takes the long address too', async () => {
    expect(await call('/t/acme/mcp/clock')).toBe('1.0.0-acme');
    expect(await call('/t/acme/mcp/clock?x=1')).toBe('1.0.0-acme');
  });

  it.each([
    ['in capitals', 'MCP.Acme.Example'],
    ['with a port', 'mcp.acme.example:8443'],
    ['with the dot of the root', 'mcp.acme.example.'],
    ['with both', 'MCP.ACME.EXAMPLE.:8443'],
  ])('is known %s', async (_title, host) => {
    expect(await call('/mcp/clock', { host })).toBe('1.0.0-acme');
  });

  it.each([
    ['another tenant’s prefix', '/t/beta/mcp/clock'],
    ['the default tenant’s prefix', '/t/default/mcp/tracker'],
    ['a tenant that is not there', '/t/nobody/mcp/clock'],
    ['a server only the default tenant has', '/mcp/reports'],
  ])('does not lead to %s', async (_title, path) => {
    expect(await call(path)).toBe('endpoint_unknown');
    const metadata = await httpCall(
      product.quickstart.gateway,
      `/.well-known/oauth-protected-resource${path}`,
      { method: 'GET', headers: { host: HOST }, body: '' },
    );
    expect(metadata.status).toBe(404);
  });

  it.each([
    ['a name that only ends like it', 'x.mcp.acme.example'],
    ['a name in another script', 'mcp.аcme.example'],
    ['several names', 'mcp.acme.example,mcp.beta.example'],
    ['nobody’s name', 'unknown.example'],
  ])('is not %s, which reaches what the gateway’s own does', async (_title, host) => {
    const outcome = await call('/mcp/clock', { host: Buffer.from(host).toString('latin1') });
    expect(['endpoint_unknown', 'header_invalid']).toContain(outcome);
  });

  it('is what challenges and metadata name, whatever else the request says', async () => {
    const own = `http://${HOST}:${port}`;
    const headers = {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      'x-original-host': 'evil.example',
    };
    const refused = await post('/mcp/clock', { token: null, headers, host: `${HOST}:9` });
    expect(refused.status).toBe(401);
    const place = `${own}/.well-known/oauth-protected-resource/mcp/clock`;
    expect(refused.headers['www-authenticate']).toContain(`resource_metadata="${place}"`);
    const metadata = await httpCall(product.quickstart.gateway, new URL(place).pathname, {
      method: 'GET',
      headers: { host: HOST, ...headers },
      body: '',
    });
    expect(JSON.parse(metadata.text)).toMatchObject({
      resource: `${own}/mcp/clock`,
      authorization_servers: [ISSUER],
    });
    const elsewhere = await post('/t/acme/mcp/clock', { token: null, host: 'unknown.example' });
    expect(elsewhere.headers['www-authenticate']).toContain(
      `resource_metadata="${product.quickstart.gateway}/`,
    );
    expect(elsewhere.headers['www-authenticate']).not.toContain('unknown.example');
  });

  it('carries sessions and streams of the official client, which knows no other name', async () => {
    const toGateway = new Agent({
      connect: { lookup: (_host, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]) },
    });
    const byName = ((input: URL, init?: RequestInit) =>
      undiciFetch(input, { ...init, dispatcher: toGateway } as UndiciRequestInit)) as unknown as typeof fetch;
    const transport = new StreamableHTTPClientTransport(new URL(`http://${HOST}:${port}/mcp/counter`), {
      fetch: byName,
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    const client = new Client({ name: 'hosts', version: '1.0.0' });
    await client.connect(transport as Transport);
    let progress = 0;
    const count = () =>
      client.callTool({ name: 'count', arguments: { ms: 50 } }, undefined, {
        onprogress: () => {
          progress += 1;
        },
      });
    expect(JSON.stringify(await count())).toContain('\\"count\\":1');
    expect(JSON.stringify(await count())).toContain('\\"count\\":2');
    expect(progress).toBe(2);
    await client.close();
    await toGateway.destroy();
  });

  it('is no other tenant’s: refused with the name of the holder, and free once it was given back', async () => {
    const taken = await putHosts('beta', ['mcp.beta.example', HOST], 'if-none-match');
    expect([taken.status, JSON.stringify(taken.body)]).toEqual([
      409,
      expect.stringContaining('belongs to tenant acme'),
    ]);
    expect((await putHosts('acme', ['new.acme.example'], 'if-match')).status).toBe(200);
    expect(await elapsed(async () => (await call('/mcp/clock')) === 'endpoint_unknown')).toBeLessThan(1_000);
    const moved = await putHosts('beta', [HOST], 'if-none-match');
    expect(moved.status, JSON.stringify(moved.body)).toBe(201);
    expect(await elapsed(async () => (await call('/mcp/clock')) === '1.0.0-beta')).toBeLessThan(1_000);
    expect(await call('/mcp/clock', { host: 'new.acme.example' })).toBe('1.0.0-acme');
  });
});
