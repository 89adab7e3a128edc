// What Envoy refuses by itself, as an MCP client reads it: a JSON-RPC error with the reason, the id where it is known,
// and for calls that were let pass the server that failed. On the real Envoy, case by case.

import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { packMessage } from '#protos/pack.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import { httpCall } from '#test/support/http-call.ts';
import { exchange } from '#test/support/raw-http.ts';
import {
  freePort,
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { translateTenant } from '#xds-server/translate/tenant.ts';

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;
const broken: Server[] = [];

/** A server that does one thing with whatever it is sent. */
const startBroken = async (onData: (socket: Socket) => void): Promise<string> => {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => onData(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  broken.push(server);
  return `http://127.0.0.1:${port}/mcp`;
};

const replaced = (
  snapshot: ResourceSnapshot,
  kind: ResourceKind,
  name: string,
  message: TypedMessage | undefined,
): ResourceSnapshot => {
  const resources = new Map(snapshot.kinds[kind]);
  const resource = resources.get(name);
  if (message === undefined || resource === undefined) resources.delete(name);
  else resources.set(name, { ...resource, version: 'replaced', any: packMessage(message) });
  return { ...snapshot, kinds: { ...snapshot.kinds, [kind]: resources } };
};

const worldOf = async () => {
  const resets = await startBroken((socket) => socket.resetAndDestroy());
  const closes = await startBroken((socket) => socket.end());
  const babbles = await startBroken((socket) => socket.write('what?\r\n\r\n'));
  const silent = await startBroken(() => undefined);
  const at = (url: string) => ({ '1.0.0': [url] });
  return {
    slow: tenantOf('slow', { silent: at(silent) }),
    main: tenantOf('default', {
      one: at(upstream.url),
      away: at('http://127.0.0.1:9/mcp'),
      nowhere: at('http://nowhere.example/mcp'),
      full: at(upstream.url),
      lost: at(upstream.url),
      resets: at(resets),
      closes: at(closes),
      babbles: at(babbles),
    }),
  };
};

beforeAll(async () => {
  upstream = await startUpstream('one');
  gateway = await startGateway();
  const { slow, main } = await worldOf();
  const translated = [slow, main].map((tenant) => translateTenant(tenant, gateway.settings));
  const [slowParts, mainParts] = translated.map((part) => (part.ok ? part.value : undefined));
  const full = mainParts?.clusters.find(({ name }) => name === 'mcp.default.full.1.0.0');
  const none = { max_connections: 0, max_pending_requests: 0, max_requests: 0 };
  const impatient = JSON.stringify(slowParts?.routes).replaceAll('"timeout":"0s"', '"timeout":"0.3s"');
  xds = await startXdsServer({
    address: gateway.xdsAddress,
    settings: gateway.settings,
    resolve: async (url) => {
      const { hostname, port } = new URL(url);
      if (hostname === 'nowhere.example') return err('not resolved') as never;
      return ok({ addresses: ['127.0.0.1'], port: Number(port) });
    },
    tamper: (snapshot) => {
      const breakers = { ...full, circuit_breakers: { thresholds: [none] } } as TypedMessage;
      const overflowing = replaced(snapshot, 'cluster', 'mcp.default.full.1.0.0', breakers);
      const unknown = replaced(overflowing, 'cluster', 'mcp.default.lost.1.0.0', undefined);
      return replaced(unknown, 'route', 'tenant/slow', JSON.parse(impatient));
    },
  });
  xds.update(snapshotOf(1, main, slow));
  await until(
    'Envoy serves',
    async () => (await httpCall(gateway.origin, '/mcp/one').catch(() => undefined))?.status === 200,
  );
});
afterEach(() => {
  gateway.decide(() => ({ version: '1.0.0' }));
  gateway.guard(undefined);
});
afterAll(async () => {
  for (const server of broken) server.close();
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

const INTERNALS = /127\.0\.0\.1|cluster|upstream_reset|code_details|envoy/i;

describe('a call that was let pass', () => {
  it.each([
    ['cannot be connected', 'away', 503, 'upstream_unavailable'],
    ['has no address that is known', 'nowhere', 503, 'upstream_unavailable'],
    ['has as many calls as it may', 'full', 503, 'upstream_overloaded'],
    ['resets the connection', 'resets', 503, 'upstream_broke_off'],
    ['closes the connection', 'closes', 503, 'upstream_broke_off'],
    ['answers what is not HTTP', 'babbles', 502, 'answer_refused'],
    ['is known to ext-authz but has no cluster here', 'lost', 503, 'version_unavailable'],
  ])('to a server that %s: %s', async (_, server, status, reason) => {
    const answer = await httpCall(gateway.origin, `/mcp/${server}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.text)).toMatchObject({
      jsonrpc: '2.0',
      id: 41,
      error: {
        data: { reason, tenant: 'default', server, requestId: answer.headers['x-request-id'] },
      },
    });
    expect(answer.text).not.toMatch(INTERNALS);
  });

  it('and not answered in time', async () => {
    const answer = await httpCall(gateway.origin, '/t/slow/mcp/silent');
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text).error.data).toMatchObject({
      reason: 'upstream_timeout',
      tenant: 'slow',
      server: 'silent',
    });
  });

  it('to a version that is not here', async () => {
    gateway.decide(() => ({ version: '9.9.9' }));
    const answer = await httpCall(gateway.origin, '/mcp/one');
    expect([answer.status, JSON.parse(answer.text).error.data]).toMatchObject([
      503,
      { reason: 'version_unavailable', server: 'one' },
    ]);
  });

  it('whose answer ext-proc fails on', async () => {
    gateway.decide(() => ({ version: '1.0.0', guard: 'list' }));
    gateway.guard({});
    const answer = await httpCall(gateway.origin, '/mcp/one');
    expect([answer.status, JSON.parse(answer.text).error.data]).toMatchObject([
      502,
      { reason: 'answer_refused', server: 'one' },
    ]);
  });

  it.each([0, -1, 100_000, 1e15, Number.MAX_SAFE_INTEGER])('keeps its id as it was: %d', async (id) => {
    gateway.decide(() => ({ version: '1.0.0', id }));
    // Envoy writes 100000 as 1e+05, which is the same number in JSON.
    expect(JSON.parse((await httpCall(gateway.origin, '/mcp/away')).text).id).toBe(id);
  });
});

describe('what is no call yet', () => {
  const post = (lines: string, body = '') =>
    `POST /mcp/one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n${body}`;

  it.each([
    ['headers that are too long', post(`x: ${'a'.repeat(70_000)}\r\n`), 431, 'headers_too_large'],
    ['too many headers', post('x-one: 1\r\n'.repeat(101)), 431, 'headers_too_large'],
    ['a header with an underscore', post('x_one: 1\r\n'), 400, 'header_invalid'],
    [
      'an escaped slash',
      'POST /mcp%2fone HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      400,
      'header_invalid',
    ],
    ['no host', 'POST /mcp/one HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'header_invalid'],
    ['HTTP/1.0', 'POST /mcp/one HTTP/1.0\r\nHost: a\r\n\r\n', 426, 'http_version_unsupported'],
    ['a path nobody has', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404, 'endpoint_unknown'],
    [
      'a body beyond every limit',
      post(`Content-Length: ${5 * 1024 * 1024}\r\n`, 'x'.repeat(5 * 1024 * 1024)),
      413,
      'body_too_large',
    ],
  ])('is refused with a reason: %s', async (_, bytes, status, reason) => {
    const asked = gateway.checks.length;
    const answer = await exchange(gateway.origin, bytes);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { data: { reason } } });
    expect(answer.body).not.toMatch(INTERNALS);
    expect(gateway.checks.length).toBe(asked);
  });

  it.each(['PUT', 'PATCH', 'HEAD', 'TRACE', 'QUERY', 'PROPFIND', 'post'])(
    'with a method that is not part of MCP: %s',
    async (method) => {
      const asked = gateway.checks.length;
      const answer = await exchange(
        gateway.origin,
        `${method} /mcp/one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      expect([400, 405]).toContain(answer.status);
      if (answer.status === 405) expect(answer.headers['allow']).toBe('GET, POST, DELETE, OPTIONS');
      if (method !== 'HEAD')
        expect(JSON.parse(answer.body).error.data.reason).toMatch(/http_method_not_allowed|header_invalid/);
      expect(gateway.checks.length).toBe(asked);
    },
  );
});
