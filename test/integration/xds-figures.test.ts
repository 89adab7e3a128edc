// What the real Envoy reports of its calls, as the figures that canaries, weights and limits go by.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addFigures,
  type CallFigures,
  latencyPercentile,
  NO_FIGURES,
  type VersionFigures,
} from '#core/call-figures.ts';
import type { TrafficSplit } from '#core/traffic-split.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  freePort,
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { FigureBook } from '#xds-server/figures/figure-book.ts';

const ALL_TO_ONE: TrafficSplit = {
  weights: [{ version: '1.0.0', weight: 1 }],
  tools: [],
  testers: [],
  steps: [],
  withdrawn: [],
};

/** An upstream that does as the call says: milliseconds to the first byte and to the end, a status, or breaking off. */
const upstream = createServer((request, response) => {
  const { status = '200', first = '0', end = '0', reset } = request.headers;
  request.resume();
  request.on('end', () => {
    if (reset === undefined)
      setTimeout(() => {
        response.writeHead(Number(status), { 'content-type': 'text/event-stream' }).flushHeaders();
        setTimeout(() => response.end('data: 1\n\n'), Number(end));
      }, Number(first));
    else request.socket.destroy();
  });
});

const nowMs = (): number => performance.now();

/** The count once it has not changed for three of xds-server's looks. */
const settledCount = async (count: () => number): Promise<number> => {
  let seen = -1;
  while (seen !== count()) {
    seen = count();
    await new Promise((resolve) => setTimeout(resolve, 3_500));
  }
  return seen;
};

describe('figures of the real Envoy', () => {
  let gateway: Gateway;
  let xds: XdsServer;
  const reports: VersionFigures[] = [];
  const book = new FigureBook({
    interestIn: () => ({ calls: false, adaptive: {}, replicas: false }),
    spanMs: 300_000,
  });

  const figuresOf = (server: string): CallFigures =>
    book.attempts(`mcp.acme.${server}.1.0.0`, nowMs()) ?? NO_FIGURES;
  const call = (server: string, headers: Record<string, string> = {}) =>
    httpCall(gateway.origin, `/t/acme/mcp/${server}`, { headers });

  /** What the calls add to the figures of a server, once Envoy has reported so many attempts. */
  const added = async (server: string, attempts: number, calls: () => Promise<unknown>) => {
    const before = figuresOf(server);
    await calls();
    await until(`${attempts} attempts`, () => figuresOf(server).calls >= before.calls + attempts);
    const after = figuresOf(server);
    return {
      calls: after.calls - before.calls,
      errors: after.errors - before.errors,
      latency: after.latency.map((count, bucket) => count - (before.latency[bucket] ?? 0)),
    };
  };

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      upstream.listen(0, '127.0.0.1', resolve);
    });
    const live = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
    const dead = `http://127.0.0.1:${await freePort()}/mcp`;
    const tenant = tenantOf('acme', {
      files: { '1.0.0': [live] },
      dead: { '1.0.0': [dead] },
      plain: { '1.0.0': [live] },
    });
    const servers = tenant.servers.map((server) =>
      server.id === 'plain' ? server : { ...server, traffic: ALL_TO_ONE },
    );
    gateway = await startGateway();
    const { xdsAddress: address, settings } = gateway;
    xds = await startXdsServer({
      address,
      settings,
      onObservation: (seen) => book.add(seen, nowMs()),
      onFigures: (versions) => reports.push(...versions),
    });
    xds.update(snapshotOf(1, { ...tenant, servers }));
    await until('Envoy listens', async () => (await call('files').catch(() => undefined))?.status === 200);
    await until('figures come', () => figuresOf('files').calls > 0);
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  it('time the first byte of a stream, not its end', async () => {
    const slowly = { first: '300', end: '2500' };
    const figures = await added('files', 2, () =>
      Promise.all([call('files', slowly), call('files', slowly)]),
    );
    expect(figures).toMatchObject({ calls: 2, errors: 0 });
    expect(latencyPercentile(figures, 0.01)).toBeGreaterThanOrEqual(300);
    expect(latencyPercentile(figures, 1)).toBeLessThanOrEqual(2_000);
  });

  it('count what the upstream failed, by status and by breaking off', async () => {
    const figures = await added('files', 4, () =>
      Promise.all([
        call('files'),
        call('files', { status: '404' }),
        call('files', { status: '500' }),
        call('files', { reset: '1' }),
      ]),
    );
    expect(figures).toMatchObject({ calls: 4, errors: 2 });
  });

  it('count each attempt at a replica that is not there', async () => {
    const figures = await added('dead', 3, () => call('dead'));
    expect(figures).toMatchObject({ calls: 3, errors: 3, latency: NO_FIGURES.latency });
  });

  it('leave out what was refused at the door and clients that leave at once', async () => {
    const figures = await added('files', 1, async () => {
      gateway.decide(() => ({ status: 403, body: '{}' }));
      await call('files');
      gateway.decide(() => ({ version: '1.0.0' }));
      const left = fetch(`${gateway.origin}/t/acme/mcp/files`, {
        method: 'POST',
        body: '{}',
        headers: { first: '5000' },
        signal: AbortSignal.timeout(200),
      });
      await expect(left).rejects.toThrow();
      // Reported after the others, so when it is there they would be.
      await call('files', { status: '500' });
    });
    expect(figures).toMatchObject({ calls: 1, errors: 1 });
  });

  it('are reported call by call for servers whose traffic is split, each call once, and for no others', async () => {
    const reported = (): CallFigures => reports.map(({ figures }) => figures).reduce(addFigures, NO_FIGURES);
    // Attempts and calls are reported by two loggers, each in its own time.
    const callsBefore = await settledCount(() => reported().calls);
    await call('plain');
    await call('dead');
    await call('files', { status: '500' });
    await call('files');
    await until('calls are reported', () => reported().calls >= callsBefore + 3);
    expect(await settledCount(() => reported().calls)).toBe(callsBefore + 3);
    expect(new Set(reports.map(({ serverId }) => serverId))).toEqual(new Set(['files', 'dead']));
    expect(reports[0]).toMatchObject({ tenantId: 'acme', version: '1.0.0' });
  });
});
