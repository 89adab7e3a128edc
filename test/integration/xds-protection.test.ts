// Replicas that die, fail and drown, on the real Envoy: checks find the dead, failures put a replica out for a while,
// breakers refuse what is too much. What a client is told is in xds-local-replies.test.ts.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { answeredBy, spread, statOf } from '#test/support/xds-calls.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';

const QUICK = { intervalMs: 1_000, unhealthyThreshold: 1, healthyThreshold: 1 } as const;
/** Nothing is put out for failing, so that only checks can. */
const UNMOVED = { consecutive5xx: 0, consecutiveFailures: 0 };

const SETTINGS: Readonly<Record<string, UpstreamSettings>> = {
  plain: {},
  pinged: { health: { kind: 'ping', ...QUICK }, outlierDetection: UNMOVED },
  watched: { health: { kind: 'http', path: '/healthz', ...QUICK }, outlierDetection: UNMOVED },
  impatient: { outlierDetection: { consecutive5xx: 3, ejectionMs: 1_000 } },
  forgiving: { outlierDetection: { consecutive5xx: 0, consecutiveFailures: 0 } },
  alone: { outlierDetection: { consecutive5xx: 1, consecutiveFailures: 1 } },
  narrow: { circuitBreakers: { maxRequests: 2 } },
};

let gateway: Gateway;
let xds: XdsServer;
let one: Upstream;
let two: Upstream;

const stat = (server: string, name: string): Promise<number> =>
  statOf(gateway, `cluster\\.mcp\\.default\\.${server}\\.1\\.0\\.0\\.${name}`);

beforeAll(async () => {
  [one, two] = await Promise.all([startUpstream('one'), startUpstream('two')]);
  gateway = await startGateway();
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  const both = { '1.0.0': [one.url, two.url] };
  const servers = Object.fromEntries(Object.keys(SETTINGS).map((id) => [id, both]));
  const tenant = tenantOf('default', { ...servers, alone: { '1.0.0': [one.url] } });
  xds.update(snapshotOf(1, withUpstreams(tenant, SETTINGS)));
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1);
  await until('served', async () => (await answeredBy(gateway, 'plain')) === 'one');
});
beforeEach(() => {
  for (const upstream of [one, two]) upstream.answerWith(undefined);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all([one?.stop(), two?.stop()]);
});

describe.each(['pinged', 'watched'])('a replica that is asked how it is (%s)', (server) => {
  it('gets no calls while it is unwell, and gets them again', async () => {
    await until('both serve', async () => Object.keys(await spread(gateway, server, 8)).length === 2);
    two.answerWith({ status: 503, headers: {} });
    await until('found out', async () => (await stat(server, 'membership_healthy')) === 1);
    expect(await spread(gateway, server, 12)).toEqual({ one: 12 });
    two.answerWith(undefined);
    await until('both serve again', async () => (await spread(gateway, server, 8))['two'] !== undefined);
  });
});

describe('a ping', () => {
  it('is a JSON-RPC message to the MCP endpoint, under the host of calls', async () => {
    await until('pinged', () => one.seen.some(({ headers }) => headers['user-agent'] === 'Envoy/HC'));
    const ping = one.seen.findLast(
      ({ headers, method }) => headers['user-agent'] === 'Envoy/HC' && method === 'POST',
    );
    expect(ping?.headers).toMatchObject({
      host: new URL(one.url).host,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    });
    const message = JSON.stringify({ jsonrpc: '2.0', id: 'health', method: 'ping' });
    expect(ping).toMatchObject({ path: '/mcp', bytes: message.length });
  });

  it.each([200, 202, 400, 401, 404, 405])('finds a server alive that answers %i', async (status) => {
    two.answerWith({ status, headers: {} });
    const before = await stat('pinged', 'health_check.success');
    await until('asked', async () => (await stat('pinged', 'health_check.success')) > before + 2);
    expect(await stat('pinged', 'membership_healthy')).toBe(2);
  });
});

describe('a replica that fails calls', () => {
  it('is left out for a while, and comes back', async () => {
    two.answerWith({ status: 500, headers: {} });
    await until('left out', async () => {
      await spread(gateway, 'impatient', 8);
      return (await stat('impatient', 'outlier_detection.ejections_active')) === 1;
    });
    expect(await spread(gateway, 'impatient', 10)).toEqual({ one: 10 });
    two.answerWith(undefined);
    await until('back', async () => (await spread(gateway, 'impatient', 8))['two'] !== undefined);
  });

  it('goes on getting calls where failing is no illness', async () => {
    two.answerWith({ status: 500, headers: {} });
    expect((await spread(gateway, 'forgiving', 60))['500']).toBeGreaterThan(5);
  });

  it('is never left out if it is the last', async () => {
    one.answerWith({ status: 500, headers: {} });
    expect(await spread(gateway, 'alone', 5)).toEqual({ '500': 5 });
    one.answerWith(undefined);
    expect(await spread(gateway, 'alone', 5)).toEqual({ one: 5 });
  });
});

describe('a circuit breaker', () => {
  it('refuses what is too much at once as JSON-RPC, and shows what is left', async () => {
    expect(await stat('narrow', 'circuit_breakers.default.remaining_rq')).toBe(2);
    const streams = await Promise.all([1, 2].map(() => openStream(gateway.origin, '/mcp/narrow')));
    expect(await stat('narrow', 'circuit_breakers.default.remaining_rq')).toBe(0);
    const { status, text } = await httpCall(gateway.origin, '/mcp/narrow');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { data: { server: 'narrow' } } });
    expect(await answeredBy(gateway, 'plain')).toMatch(/one|two/);
    for (const stream of streams) stream.close();
    await until('served again', async () => /one|two/.test(await answeredBy(gateway, 'narrow')));
  });
});

describe('a replica that is taken away', () => {
  it('gets no more calls, however well it is', async () => {
    const servers = { pinged: { '1.0.0': [one.url] } };
    xds.update(snapshotOf(2, withUpstreams(tenantOf('default', servers), SETTINGS)));
    await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 2);
    await until('gone', async () => (await stat('pinged', 'membership_total')) === 1);
    expect(await spread(gateway, 'pinged', 10)).toEqual({ one: 10 });
  });
});
