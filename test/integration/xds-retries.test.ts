// What Envoy sends a second time, and what it never does. One of two replicas takes each call and breaks it off, which is
// the moment nobody knows whether the call has run.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RETRY_HEADER, RETRY_SAFE } from '#core/internal-headers.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const PATH = '/t/acme/mcp/files';
const TRIES = 12;

type Replica = { readonly server: Server; readonly url: string; hits: number; act: RequestListener };

const answers =
  (status: number): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end('{}');
  };
const breaksOff: RequestListener = (request) => request.socket.destroy();

const startReplica = async (): Promise<Replica> => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      replica.hits += 1;
      replica.act(request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const replica: Replica = { server, url, hits: 0, act: answers(200) };
  return replica;
};

describe('calls sent again', () => {
  let gateway: Gateway;
  let xds: XdsServer;
  let good: Replica;
  let bad: Replica;

  /** Statuses of so many calls, one after another. */
  const calls = async (kind: 'safe' | 'unsafe', headers: Record<string, string> = {}): Promise<number[]> => {
    gateway.decide(() => ({
      version: '1.0.0',
      ...(kind === 'safe' ? { headers: { [RETRY_HEADER]: RETRY_SAFE } } : {}),
    }));
    const statuses: number[] = [];
    for (let index = 0; index < TRIES; index += 1)
      statuses.push((await httpCall(gateway.origin, PATH, { headers })).status);
    return statuses;
  };

  beforeAll(async () => {
    [good, bad] = await Promise.all([startReplica(), startReplica()]);
    gateway = await startGateway();
    xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
    const tenant = tenantOf('acme', { files: { '1.0.0': [good.url, bad.url] } });
    // A replica that is left out for its failures is not called, and nothing could be seen at it.
    const outlierDetection = { consecutive5xx: 1_000, consecutiveFailures: 1_000 };
    const servers = tenant.servers.map((server) => ({ ...server, upstream: { outlierDetection } }));
    xds.update(snapshotOf(1, { ...tenant, servers }));
    await until('Envoy listens', async () => {
      const answer = await httpCall(gateway.origin, PATH).catch(() => undefined);
      return answer?.status === 200;
    });
  });
  beforeEach(() => {
    good.act = answers(200);
    good.hits = 0;
    bad.hits = 0;
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    for (const replica of [good, bad]) {
      replica?.server.closeAllConnections();
      replica?.server.close();
    }
  });

  it.each([
    ['breaks calls off', breaksOff],
    ['answers 503', answers(503)],
  ])('go to the other replica where a second run does no harm and one %s', async (_what, act) => {
    bad.act = act;
    expect(await calls('safe')).toEqual(Array(TRIES).fill(200));
    expect(good.hits).toBe(TRIES);
    expect(bad.hits).toBeGreaterThan(0);
  });

  it('never are what may have run once', async () => {
    bad.act = breaksOff;
    const statuses = await calls('unsafe');
    expect(good.hits + bad.hits).toBe(TRIES);
    expect(bad.hits).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 503).length).toBe(bad.hits);
  });

  it('are not those whose client says so itself', async () => {
    bad.act = breaksOff;
    await calls('unsafe', {
      [RETRY_HEADER]: RETRY_SAFE,
      'x-envoy-retry-on': 'reset,5xx',
      'x-envoy-max-retries': '5',
    });
    expect(good.hits + bad.hits).toBe(TRIES);
  });

  it('are not those the server has answered with an error of its own', async () => {
    bad.act = answers(500);
    await calls('safe');
    expect(good.hits + bad.hits).toBe(TRIES);
  });

  it('stop before they wear out a server that fails everywhere', async () => {
    good.act = breaksOff;
    bad.act = breaksOff;
    expect(await calls('safe')).toEqual(Array(TRIES).fill(503));
    expect(good.hits + bad.hits).toBe(3 * TRIES);
  });

  it('all reach the living replica, although the dead one always has the least to do', async () => {
    // The dead one goes on losing the choice by least requests only because retries leave it out.
    await new Promise((resolve) => {
      bad.server.close(resolve);
      bad.server.closeAllConnections();
    });
    const held = Promise.withResolvers<void>();
    good.act = (_request, response) => void held.promise.then(() => response.end('{}'));
    const streams = Promise.all([1, 2, 3].map(() => httpCall(gateway.origin, PATH)));
    await until('streams are open', async () => good.hits === 3);
    good.act = answers(200);
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) statuses.push(...(await calls('unsafe')));
    held.resolve();
    await streams;
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });
});
