// Least latency on the real Envoy: of two replicas of which one is ten times slower, the slow one gets under a fifth of
// the calls within ten seconds; when it is as fast as the other again, it gets its share back.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
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

/** One call every so many milliseconds, whatever the answers take. */
const PACE_MS = 25;

/** A share is that of the last so many calls. */
const LAST = 80;

type Replica = { readonly name: string; readonly server: Server; readonly url: string; latencyMs: number };

const startReplica = async (name: string, latencyMs: number): Promise<Replica> => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => setTimeout(() => response.end(name), replica.latencyMs));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const replica: Replica = { name, server, url, latencyMs };
  return replica;
};

const byLatency = (urls: readonly string[]): Tenant => {
  const tenant = tenantOf('acme', { files: { '1.0.0': urls } });
  const upstream = { loadBalancing: { policy: 'least-latency' } } as const;
  return { ...tenant, servers: tenant.servers.map((server) => ({ ...server, upstream })) };
};

describe('least latency', () => {
  let gateway: Gateway;
  let xds: XdsServer;
  let quick: Replica;
  let slow: Replica;
  let load: NodeJS.Timeout;
  const answers: string[] = [];

  const shareOf = (replica: Replica): number =>
    answers.slice(-LAST).filter((name) => name === replica.name).length / LAST;
  const callOnce = async (): Promise<void> => {
    const answer = await httpCall(gateway.origin, PATH).catch(() => undefined);
    if (answer?.status === 200) answers.push(answer.text);
  };

  beforeAll(async () => {
    [quick, slow] = await Promise.all([startReplica('quick', 20), startReplica('slow', 20)]);
    gateway = await startGateway();
    xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
    xds.update(snapshotOf(1, byLatency([quick.url, slow.url])));
    load = setInterval(() => void callOnce(), PACE_MS);
    await until('both are called alike', () => answers.length >= LAST && shareOf(slow) > 0.35, 30_000);
  });
  afterAll(async () => {
    clearInterval(load);
    await xds?.stop();
    await gateway?.stop();
    for (const replica of [quick, slow]) {
      replica?.server.closeAllConnections();
      replica?.server.close();
    }
  });

  it('takes calls away from a replica that is ten times slower, within ten seconds', async () => {
    slow.latencyMs = 200;
    await until('the slow one has under a fifth', () => shareOf(slow) < 0.2, 10_000);
    const before = answers.length;
    await until('and keeps it', () => answers.length > before + 2 * LAST, 30_000);
    expect(shareOf(slow)).toBeLessThan(0.2);
    expect(shareOf(slow)).toBeGreaterThan(0);
  });

  it('gives them back when it has recovered', async () => {
    slow.latencyMs = 20;
    await until('it has its share', () => shareOf(slow) > 0.35, 25_000);
  });

  it('is no commit of anybody: revisions stand where they stood', () => {
    expect(xds.publishedSequence()).toBe(1);
    expect(xds.ads.nodes().map((node) => node.rejected)).toEqual([[]]);
  });
});
