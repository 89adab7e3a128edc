// How many retries Envoy makes at once under the large and the small budget of a server, and what it costs those who are
// there to go from one to the other.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RETRY_HEADER, RETRY_SAFE } from '#core/internal-headers.ts';
import type { Pace } from '#core/pace.ts';
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
const BUDGET = { min: 1, max: 100 };
const CALLS_AT_ONCE = 20;

let pace: Pace = { retries: 1, budgetPercent: BUDGET.max };
let hits = 0;

/** Calls that are to fail wait for one another, so that all of them fail at the same moment. */
let waiting: ServerResponse[] = [];

const failAll = (): void => {
  const failing = waiting;
  waiting = [];
  for (const response of failing) response.writeHead(503).end('{}');
};

const fail = (response: ServerResponse): void => {
  hits += 1;
  waiting.push(response);
  if (hits === CALLS_AT_ONCE) failAll();
  // Those that are tried again keep their place in the budget for as long as they last.
  if (hits > CALLS_AT_ONCE) setTimeout(failAll, 1_000);
};

const upstream = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.method === 'GET')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    else if (request.headers['fail'] === undefined) response.end('{}');
    else fail(response);
  });
});

describe('a budget of retries', () => {
  let gateway: Gateway;
  let xds: XdsServer;

  const call = (headers: Record<string, string> = {}) => httpCall(gateway.origin, PATH, { headers });
  const isPriorityHigh = async (): Promise<boolean> =>
    (await gateway.admin('/config_dump?resource=dynamic_route_configs')).includes('"priority": "HIGH"');
  const moveTo = async (budgetPercent: number): Promise<void> => {
    pace = { ...pace, budgetPercent };
    xds.refresh();
    await until('Envoy has it', async () => (await isPriorityHigh()) === (budgetPercent === BUDGET.min));
  };
  const stat = async (name: string): Promise<number> =>
    Number(/: (\d+)/.exec(await gateway.admin(`/stats?filter=${name}$`))?.[1] ?? 0);

  /** So many calls fail at the same moment; how many of them were tried again. */
  const triedAgain = async (): Promise<number> => {
    hits = 0;
    const answers = await Promise.all(Array.from({ length: CALLS_AT_ONCE }, () => call({ fail: '1' })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    return hits - CALLS_AT_ONCE;
  };

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      upstream.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
    const tenant = tenantOf('acme', { files: { '1.0.0': [url] } });
    const servers = tenant.servers.map((server) => ({
      ...server,
      // Failures are what this is about: no replica is to be left out for them.
      upstream: { outlierDetection: { consecutive5xx: 0, consecutiveFailures: 0 } },
      adaptive: { retries: { max: 1, budgetPercent: BUDGET } },
    }));
    gateway = await startGateway();
    gateway.decide(() => ({ version: '1.0.0', headers: { [RETRY_HEADER]: RETRY_SAFE } }));
    xds = await startXdsServer({
      address: gateway.xdsAddress,
      settings: gateway.settings,
      paceOf: () => pace,
    });
    xds.update(snapshotOf(1, { ...tenant, servers }));
    await until('Envoy listens', async () => (await call().catch(() => undefined))?.status === 200);
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  it('lets most calls be tried again when it is large', async () => {
    // Not all: what has failed and was not sent again yet is not in flight at that moment.
    expect(await triedAgain()).toBeGreaterThan(CALLS_AT_ONCE / 2);
  });

  it('lets few be tried again when it is small', async () => {
    await moveTo(BUDGET.min);
    const retries = await triedAgain();
    expect(retries).toBeGreaterThan(0);
    expect(retries).toBeLessThan(CALLS_AT_ONCE / 2);
    expect(await stat('mcp.*upstream_rq_retry_overflow')).toBeGreaterThan(CALLS_AT_ONCE / 2);
  });

  it('moves and cuts no stream, fails no call, and leaves the cluster as it is', async () => {
    const stream = await openStream(gateway.origin, PATH);
    const before = await stat('cluster_manager.cluster_modified');
    let calling = true;
    const statuses: number[] = [];
    const caller = (async () => {
      while (calling) statuses.push((await call()).status);
    })();
    for (const budget of [BUDGET.max, BUDGET.min, BUDGET.max]) await moveTo(budget);
    calling = false;
    await caller;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(stream.isOpen()).toBe(true);
    expect(await stat('cluster_manager.cluster_modified')).toBe(before);
    stream.close();
  });
});
