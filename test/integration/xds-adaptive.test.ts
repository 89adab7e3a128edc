// Time limits, retries and back-off follow a real upstream behind the real Envoy: one that slows down, fails, and
// recovers. Nothing is simulated; windows are short, so that minutes become seconds.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import { RETRY_HEADER, RETRY_SAFE } from '#core/internal-headers.ts';
import type { Pace, VersionPace } from '#core/pace.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const PATH = '/t/acme/mcp/files';
const CLUSTER = 'mcp.acme.files.1.0.0';
const BOUNDS: AdaptiveSettings = {
  timeout: { minMs: 300, maxMs: 6_000 },
  retries: { max: 3, budgetPercent: { min: 5, max: 50 } },
  backoff: { baseMs: { min: 10, max: 100 } },
};

/** One call every so many milliseconds, whatever the answers take. */
const LOAD_PACE_MS = 40;
const SLOW_TO_MOVE_MS = 90_000;

/** Well above what a quick answer's limit is, and far enough below the bound that a limit can be above it. */
const SLOW_MS = 1_500;
/** A limit that has followed quick answers, also of a machine that is busy with other things. */
const isNear = ({ timeoutMs = 0 }: Pace): boolean => timeoutMs < 1_200;

/** What the upstream does with a call unless the call says something else. */
const mood = { latencyMs: 20, status: 200 };
let hits = 0;

const upstream = createServer((request, response) => {
  const { latency = String(mood.latencyMs), stream } = request.headers;
  request.resume();
  request.on('end', () => {
    hits += request.headers['counted'] === undefined ? 0 : 1;
    if (request.method === 'GET') {
      // A server that has nothing to say yet does not answer a GET at all.
      setTimeout(
        () => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n'),
        Number(latency),
      );
      return;
    }
    setTimeout(() => {
      response.writeHead(mood.status, {
        'content-type': stream === undefined ? 'application/json' : 'text/event-stream',
      });
      if (stream === undefined) response.end('{}');
      else {
        response.write('data: 1\n\n');
        setTimeout(() => response.end('data: 2\n\n'), Number(stream));
      }
    }, Number(latency));
  });
});

describe('adaptive bounds', () => {
  let gateway: Gateway;
  let xds: XdsServer;
  let load: NodeJS.Timeout;
  let told: readonly VersionPace[] = [];

  const pace = (): Pace => xds.steering.paceOf(CLUSTER) ?? {};
  const moved = (what: string, isThere: (now: Pace) => boolean) =>
    until(what, () => isThere(pace()), SLOW_TO_MOVE_MS);
  const call = (headers: Record<string, string> = {}) => httpCall(gateway.origin, PATH, { headers });
  /** What Envoy itself says of its routes. */
  const routes = async (): Promise<string> => gateway.admin('/config_dump?resource=dynamic_route_configs');
  const isBudgetSmall = async (): Promise<boolean> => (await routes()).includes('"priority": "HIGH"');
  const clusterStat = async (name: string): Promise<number> => {
    const text = await gateway.admin(`/stats?filter=${name}`);
    return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
  };

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      upstream.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
    const tenant = tenantOf('acme', { files: { '1.0.0': [url] } });
    const servers = tenant.servers.map((server) => ({ ...server, adaptive: BOUNDS }));
    gateway = await startGateway();
    gateway.decide(({ headers }) => ({
      version: '1.0.0',
      ...(headers['safe'] === undefined ? {} : { headers: { [RETRY_HEADER]: RETRY_SAFE } }),
    }));
    xds = await startXdsServer({
      address: gateway.xdsAddress,
      settings: gateway.settings,
      figuresMs: 3_000,
      onPaces: (paces) => {
        told = paces;
      },
    });
    xds.update(snapshotOf(1, { ...tenant, servers }));
    await until('Envoy listens', async () => (await call().catch(() => undefined))?.status === 200);
    load = setInterval(() => void call({ safe: '1' }).catch(() => undefined), LOAD_PACE_MS);
  });
  afterAll(async () => {
    clearInterval(load);
    await xds?.stop();
    await gateway?.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  it('give a server that is well all its retries and a limit near what its answers take', async () => {
    await moved(
      'all retries',
      (now) => now.retries === 3 && now.backoffMs === 10 && now.budgetPercent === 50,
    );
    await moved('a near limit', isNear);
    const { timeoutMs = 0 } = pace();
    await until('Envoy has it', async () =>
      (await routes()).includes(`"per_try_timeout": "${timeoutMs / 1000}`),
    );
  }, 240_000);

  it('end a call whose answer does not begin in time, with an error that says so', async () => {
    const { status, text } = await call({ latency: '5500', counted: '1' });
    expect(status).toBe(504);
    expect(JSON.parse(text)).toMatchObject({
      id: 41,
      error: { data: { reason: 'upstream_timeout', server: 'files' } },
    });
    // It may have run, and nobody said that it may run twice.
    expect(hits).toBe(1);
  });

  it('cut no answer that has begun, and no stream that waits for its first word', async () => {
    const { text } = await call({ stream: '3000' });
    expect(text).toBe('data: 1\n\ndata: 2\n\n');
    const stream = await openStream(gateway.origin, PATH, { latency: '2500' });
    expect(stream.isOpen()).toBe(true);
    stream.close();
  });

  it('let the limit follow a server that slows down', async () => {
    mood.latencyMs = SLOW_MS;
    // What is cut at the limit counts as that slow at least, or the limit would never learn of slower answers.
    await moved('a longer limit', ({ timeoutMs = 0 }) => timeoutMs >= 2 * SLOW_MS);
    await until('calls get through', async () => (await call()).status === 200);
  }, 240_000);

  it('take retries away from a server that fails, and wait longer between them', async () => {
    mood.latencyMs = 20;
    mood.status = 503;
    await moved('no retries', (now) => now.retries === 0 && now.backoffMs === 100 && now.budgetPercent === 5);
    await until('Envoy makes none', async () => {
      hits = 0;
      expect((await call({ safe: '1', counted: '1' })).status).toBe(503);
      return hits === 1;
    });
    expect(await isBudgetSmall()).toBe(true);
  }, 240_000);

  it('give them back when it has recovered', async () => {
    mood.status = 200;
    await moved(
      'all retries',
      (now) => now.retries === 3 && now.backoffMs === 10 && now.budgetPercent === 50,
    );
    await moved('a near limit', isNear);
    await until('Envoy has the large budget', async () => !(await isBudgetSmall()));
  }, 240_000);

  it('moved routes alone: the cluster was made once, and no revision counts for it', async () => {
    expect(xds.publishedSequence()).toBe(1);
    expect(xds.ads.nodes()).toMatchObject([{ acknowledgedSequence: 1, rejected: [] }]);
    expect(await clusterStat('cluster_manager.cluster_modified')).toBe(0);
    const { body } = await xds.metrics.render();
    const moves = Number(/mcpgw_adaptive_moves_total\{[^}]*\} (\d+)/.exec(body)?.[1] ?? 0);
    expect(moves).toBeGreaterThan(8);
    await until('the registry is told', () => JSON.stringify(told[0]?.pace) === JSON.stringify(pace()));
    expect(told).toMatchObject([{ tenantId: 'acme', serverId: 'files', version: '1.0.0' }]);
    expect(told[0]?.lastMove).toMatchObject({ attempts: expect.any(Number), errorRate: 0 });
    expect(body).toMatch(new RegExp(`mcpgw_adaptive_retries\\{.*cluster="${CLUSTER}".*\\} 3`));
  });
});
