// Connections from the real Envoy to servers: what they speak, how they are shared, when they end.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { openStream } from '#test/support/http-call.ts';
import { TEST_CERTIFICATE } from '#test/support/tls-certificate.ts';
import { answeredBy, spread, statOf } from '#test/support/xds-calls.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { type Scheme, startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';

const PING = { kind: 'ping', intervalMs: 1_000, unhealthyThreshold: 1, healthyThreshold: 1 } as const;

const CASES: Readonly<Record<string, { readonly scheme: Scheme; readonly settings: UpstreamSettings }>> = {
  plain: { scheme: 'http', settings: {} },
  fresh: { scheme: 'http', settings: { connections: { maxRequestsPerConnection: 1 } } },
  restless: { scheme: 'http', settings: { connections: { idleMs: 100 } } },
  cleartext2: { scheme: 'h2c', settings: { connections: { protocol: 'http2' }, health: PING } },
  negotiated: { scheme: 'h2', settings: { health: PING } },
  negotiated1: { scheme: 'https', settings: { health: PING } },
  insisted1: { scheme: 'h2', settings: { connections: { protocol: 'http1' }, health: PING } },
  insisted2: { scheme: 'h2', settings: { connections: { protocol: 'http2' }, health: PING } },
};

let directory: string;
let gateway: Gateway;
let xds: XdsServer;
const upstreams = new Map<string, Upstream>();

const upstream = (server: string): Upstream => {
  const found = upstreams.get(server);
  if (found === undefined) throw new Error(`no upstream ${server}`);
  return found;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'connections-'));
  const upstreamCaFile = join(directory, 'ca.pem');
  await writeFile(upstreamCaFile, TEST_CERTIFICATE);
  for (const [server, { scheme }] of Object.entries(CASES))
    upstreams.set(server, await startUpstream(server, '/mcp', scheme));
  gateway = await startGateway();
  const settings = { ...gateway.settings, upstreamCaFile };
  xds = await startXdsServer({ address: gateway.xdsAddress, settings });
  const servers = Object.fromEntries([...upstreams].map(([id, { url }]) => [id, { '1.0.0': [url] }]));
  const wanted = Object.fromEntries(Object.entries(CASES).map(([id, { settings: part }]) => [id, part]));
  xds.update(snapshotOf(1, withUpstreams(tenantOf('default', servers), wanted)));
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1);
  for (const server of Object.keys(CASES))
    await until(`${server} is served`, async () => (await answeredBy(gateway, server)) === server);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all([...upstreams.values()].map(({ stop }) => stop()));
  await rm(directory, { recursive: true, force: true });
});

describe('connections', () => {
  it('are used again', async () => {
    const before = upstream('plain').connections();
    await spread(gateway, 'plain', 20);
    expect(upstream('plain').connections() - before).toBeLessThanOrEqual(1);
  });

  it('are used so often as is allowed', async () => {
    const before = upstream('fresh').connections();
    await spread(gateway, 'fresh', 10);
    expect(upstream('fresh').connections() - before).toBe(10);
  });

  it('are closed when nobody uses them', async () => {
    await answeredBy(gateway, 'restless');
    await until(
      'closed',
      async () =>
        (await statOf(gateway, 'cluster\\.mcp\\.default\\.restless\\.1\\.0\\.0\\.upstream_cx_active')) === 0,
    );
  });

  it.each([
    ['plain', '1.1'],
    ['cleartext2', '2.0'],
    ['negotiated', '2.0'],
    ['negotiated1', '1.1'],
    ['insisted1', '1.1'],
    ['insisted2', '2.0'],
  ])('speak what is wanted or negotiated (%s: HTTP/%s)', async (server, version) => {
    await spread(gateway, server, 3);
    const calls = upstream(server).seen.filter(({ headers }) => headers['user-agent'] !== 'Envoy/HC');
    expect(new Set(calls.map(({ httpVersion }) => httpVersion))).toEqual(new Set([version]));
  });

  it.each(['cleartext2', 'negotiated', 'negotiated1', 'insisted1', 'insisted2'])(
    'of health checks are understood by the server (%s)',
    async (server) => {
      const name = `cluster\\.mcp\\.default\\.${server}\\.1\\.0\\.0\\.`;
      await until('checked', async () => (await statOf(gateway, `${name}health_check\\.success`)) > 1);
      expect(await statOf(gateway, `${name}health_check\\.failure`)).toBe(0);
    },
  );

  it('of HTTP/2 carry many streams', async () => {
    const before = upstream('cleartext2').connections();
    const streams = await Promise.all(
      Array.from({ length: 30 }, () => openStream(gateway.origin, '/mcp/cleartext2')),
    );
    await until('all live', () => streams.every((stream) => stream.events() > 2));
    expect(upstream('cleartext2').connections() - before).toBeLessThanOrEqual(1);
    for (const stream of streams) stream.close();
  });
});
