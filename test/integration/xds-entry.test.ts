// What meets a request at the door of the real Envoy, before and around our services: forged headers, tricky paths,
// sizes, Envoy's own refusals, and which answers the response guard is shown.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpCall, openStream } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const FOUR_MIB = 4 * 1024 * 1024;

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;

const call = (path: string, options: Parameters<typeof httpCall>[2] = {}) =>
  httpCall(gateway.origin, path, options);

const errorOf = (text: string): { id: unknown; reason: unknown; error: Record<string, unknown> } => {
  const { jsonrpc, id, error } = JSON.parse(text);
  expect(jsonrpc).toBe('2.0');
  return { id, reason: error.data.reason, error };
};

beforeAll(async () => {
  upstream = await startUpstream('one');
  gateway = await startGateway({ accessLogOnStdout: true });
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  xds.update(
    snapshotOf(
      1,
      tenantOf('default', {
        one: { '1.0.0': [upstream.url] },
        away: { '1.0.0': ['http://127.0.0.1:9/mcp'] },
      }),
      tenantOf('acme', { files: { '1.0.0': [upstream.url] } }),
    ),
  );
  await until('Envoy serves', async () => (await call('/mcp/one').catch(() => undefined))?.status === 200);
});
afterEach(() => {
  gateway.decide(() => ({ version: '1.0.0' }));
  gateway.guard(undefined);
  upstream.answerWith(undefined);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

describe('what a server answers in the gateway’s name', () => {
  it.each([
    [401, 'www-authenticate', 'Bearer resource_metadata="http://evil.example/"'],
    [307, 'location', 'http://evil.example/mcp'],
  ])('does not reach the client: %i with %s', async (status, name, value) => {
    upstream.answerWith({ status, headers: { [name]: value } });
    const answer = await call('/mcp/one', { method: 'POST', body: '{}' });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.headers)).not.toContain('evil.example');
  });

  it('is still said by the gateway itself', async () => {
    const headers = { 'www-authenticate': 'Bearer realm="mcp"' };
    gateway.decide(() => ({ status: 401, body: '{}', headers }));
    const answer = await call('/mcp/one', { method: 'POST', body: '{}' });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="mcp"');
  });

  it('is refused in the words of ext-proc, whatever the status', async () => {
    gateway.decide(() => ({ version: '1.0.0', guard: 'list' }));
    const body = '{"refused":"by the guard"}';
    for (const code of [404, 502, 503]) {
      const refusal = { status: { code }, body: Buffer.from(body), details: 'mcpgw_answer_refused' };
      gateway.guard({ immediate_response: refusal as never });
      const answer = await call('/mcp/one', { method: 'POST', body: '{}' });
      expect([answer.status, answer.text]).toEqual([code, body]);
    }
  });
});

describe('headers of the gateway itself', () => {
  it.each([
    'x-mcpgw-version',
    'X-MCPGW-Version',
    'x-mcpgw-anything',
    'x-envoy-upstream-rq-timeout-ms',
    'x-envoy-retry-on',
  ])('are not taken from a client: %s', async (name) => {
    expect((await call('/mcp/one', { headers: { [name]: 'forged' } })).status).toBe(200);
    const seen = [gateway.checks.at(-1)?.headers ?? {}, upstream.seen.at(-1)?.headers ?? {}];
    for (const headers of seen) expect(JSON.stringify(headers)).not.toContain('forged');
  });

  it('do not choose a route: a forged version is gone before the route is looked up', async () => {
    gateway.decide(() => ({ version: 'other' }));
    const answer = await call('/mcp/one', { headers: { 'x-mcpgw-version': '1.0.0' } });
    expect(errorOf(answer.text).reason).toBe('version_unavailable');
  });

  it('do not reach the upstream', async () => {
    await call('/mcp/one');
    const names = Object.keys(upstream.seen.at(-1)?.headers ?? {});
    expect(names.filter((name) => name.startsWith('x-mcpgw-') || name.startsWith('x-envoy-'))).toEqual([]);
  });

  it('are not taken from an upstream: none can have the gateway taken for unhealthy', async () => {
    // Told to an Envoy in front, they would take the gateway out of service.
    const headers = { 'x-envoy-immediate-health-check-fail': 'true', 'x-envoy-overloaded': 'true' };
    upstream.answerWith({ status: 200, headers });
    const names = Object.keys((await call('/mcp/one')).headers);
    upstream.answerWith(undefined);
    expect(names.filter((name) => name.startsWith('x-envoy-'))).toEqual([]);
  });

  it('cannot be written with underscores', async () => {
    expect((await call('/mcp/one', { headers: { x_mcpgw_version: '1.0.0' } })).status).toBe(400);
  });

  it('include the request id: the gateway chooses it and tells the client', async () => {
    const answer = await call('/mcp/one', { headers: { 'x-request-id': 'chosen-by-client' } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(gateway.checks.at(-1)?.headers['x-request-id']).toBe(answer.headers['x-request-id']);
  });

  it('leave no room for a compressed answer, which could not be judged', async () => {
    await call('/mcp/one', { headers: { 'accept-encoding': 'gzip' } });
    expect(upstream.seen.at(-1)?.headers['accept-encoding']).toBe('identity');
  });
});

describe('a path', () => {
  it.each([
    ['another spelling of the slash', '//t/default/mcp/one', 404],
    ['a double slash inside', '/t/default//mcp/one', 404],
    ['an escaped slash', '/t%2fdefault/mcp/one', 400],
    ['an escaped backslash', '/t/default%5cmcp/one', 400],
    ['an upper-case element', '/T/default/mcp/one', 404],
    ['an escaped letter', '/t/defaul%74/mcp/one', 404],
    ['parameters', '/t/default;x=1/mcp/one', 404],
    ['a trailing slash', '/t/default/mcp/one/', 404],
    ['an element too many', '/t/default/mcp/one/more', 404],
    ['dots that lead to another tenant', '/t/default/../acme/mcp/files', 404],
    ['escaped dots', '/t/default/%2e%2e/acme/mcp/files', 404],
    ["another tenant's server", '/t/acme/mcp/one', 404],
    ['an unknown tenant', '/t/nobody/mcp/one', 404],
    ['a short path of another tenant', '/mcp/files', 404],
    ['a short path with a query', '/mcp/one?x=1', 404],
    ['nothing', '/', 404],
  ])('with %s finds nothing: %s', async (_, path, status) => {
    const asked = gateway.checks.length;
    const served = upstream.seen.length;
    const answer = await call(path);
    expect(answer.status).toBe(status);
    expect(errorOf(answer.text).id).toBeNull();
    expect([gateway.checks.length, upstream.seen.length]).toEqual([asked, served]);
  });

  it('may carry a query in its long form', async () => {
    expect((await call('/t/default/mcp/one?x=1')).status).toBe(200);
  });

  it('to a metadata document goes to ext-authz as such, whatever it names', async () => {
    gateway.decide(() => ({ status: 200, body: '{"resource":"x"}' }));
    const answer = await call('/.well-known/oauth-protected-resource/t/acme/mcp/files', { method: 'GET' });
    expect(answer.text).toBe('{"resource":"x"}');
    expect(gateway.checks.at(-1)).toMatchObject({
      document: 'protected-resource-metadata',
      tenant: '',
      path: '/.well-known/oauth-protected-resource/t/acme/mcp/files',
    });
  });
});

describe('a body', () => {
  it('of 4 MiB passes, and ext-authz sees all of it', async () => {
    expect((await call('/mcp/one', { body: Buffer.alloc(FOUR_MIB, 0x20) })).status).toBe(200);
    expect(gateway.checks.at(-1)?.bodyBytes).toBe(FOUR_MIB);
    expect(upstream.seen.at(-1)?.bytes).toBe(FOUR_MIB);
  });

  it('of one byte more is refused before ext-authz', async () => {
    const asked = gateway.checks.length;
    const answer = await call('/mcp/one', { body: Buffer.alloc(FOUR_MIB + 1, 0x20) });
    expect(answer.status).toBe(413);
    expect(errorOf(answer.text).reason).toBe('body_too_large');
    expect(gateway.checks.length).toBe(asked);
  });
});

describe("Envoy's own refusals", () => {
  it('carry the id of the call once it is known, and no internals', async () => {
    const answer = await call('/mcp/away');
    expect(answer.status).toBe(503);
    expect(errorOf(answer.text)).toMatchObject({ id: 41, reason: 'upstream_unavailable' });
    expect(answer.text).not.toMatch(/127\.0\.0\.1|cluster|connect|envoy/i);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it("leave ext-authz's refusals as they are", async () => {
    gateway.decide(() => ({ status: 403, body: '{"mine":true}' }));
    const answer = await call('/mcp/one');
    expect([answer.status, answer.text]).toEqual([403, '{"mine":true}']);
  });
});

describe('the response guard', () => {
  const hops = async (action: () => Promise<unknown>): Promise<number> => {
    const before = gateway.shown();
    await action();
    return gateway.shown() - before;
  };

  it('is spared a plain JSON answer in which nothing is to be judged', async () => {
    expect(await hops(() => call('/mcp/one'))).toBe(0);
  });

  it('is shown an answer that is to be judged', async () => {
    gateway.decide(() => ({ version: '1.0.0', guard: 'list' }));
    expect(await hops(() => call('/mcp/one'))).toBe(1);
  });

  it('is shown an answer for which there is no order, or one it does not know', async () => {
    gateway.decide(() => ({ version: '1.0.0', guard: '' }));
    expect(await hops(() => call('/mcp/one'))).toBe(1);
    gateway.decide(() => ({ version: '1.0.0', guard: 'OFF' }));
    expect(await hops(() => call('/mcp/one'))).toBe(1);
  });

  it('is shown every stream, so that it can be ended', async () => {
    expect(await hops(async () => (await openStream(gateway.origin, '/mcp/one')).close())).toBe(1);
  });

  it('is not shown what never reached an upstream', async () => {
    gateway.decide(() => ({ status: 403, body: 'no' }));
    expect(await hops(() => call('/mcp/one'))).toBe(0);
    expect(await hops(() => call('/t/nobody/mcp/x'))).toBe(0);
    expect(await hops(() => call('/t/acme/mcp/x'))).toBe(0);
    expect(await hops(() => call('/mcp/one', { body: Buffer.alloc(FOUR_MIB + 1) }))).toBe(0);
  });
});

describe('requests', () => {
  it('are counted by their status', async () => {
    await until('counted', async () =>
      /gateway_requests_total\{status="2xx"[^}]*\} [1-9]/.test((await xds.metrics.render()).body),
    );
    expect((await xds.metrics.render()).body).toMatch(/gateway_requests_total\{status="4xx"[^}]*\} [1-9]/);
  });
});

describe('the access log', () => {
  it('tells what happened to a call, and nothing of its query', async () => {
    const { headers } = await call('/t/default/mcp/one?access_token=secret');
    const id = String(headers['x-request-id']);
    const lines = async () => (await gateway.stdout()).split('\n').filter((line) => line.includes(id));
    await until('written', async () => (await lines()).length === 1, 15_000);
    const [line = ''] = await lines();
    expect(JSON.parse(line)).toMatchObject({
      requestId: id,
      method: 'POST',
      path: '/mcp',
      status: 200,
      upstream: 'mcp.default.one.1.0.0',
    });
    expect(line).not.toContain('secret');
  });
});

describe('without ext-authz', () => {
  it('nothing passes, and the refusal is one an MCP client reads', async () => {
    await gateway.stopExtAuthz();
    const served = upstream.seen.length;
    const shown = gateway.shown();
    const answer = await call('/mcp/one');
    expect(answer.status).toBe(503);
    expect(errorOf(answer.text)).toMatchObject({ id: null, reason: 'policy_failed' });
    expect([upstream.seen.length, gateway.shown()]).toEqual([served, shown]);
  });
});
