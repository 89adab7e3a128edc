// xds-server is killed in the middle of a push of hundreds of clusters: what Envoy has at that moment is half of the old
// and half of the new, and yet no call goes wrong, no stream is cut, and the next xds-server finishes what was begun.

import type { ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { until } from '#test/support/xds-gateway.ts';
import {
  type ProcessWorld,
  type RunningRegistry,
  startProcessWorld,
} from '#test/support/xds-process-world.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { tenantOf } from '#test/support/xds-world.ts';

const TENANTS = Array.from({ length: 20 }, (_, index) => `t${index}`);
const SERVERS = Array.from({ length: 15 }, (_, index) => `s${index}`);
const CALLS_AT_ONCE = 20;

let world: ProcessWorld;
let registry: RunningRegistry;
let xds: ChildProcess;
let echo: Server;
let base: string;
let steady: Upstream;

/** A place of its own for each version of each server: an answer tells where the call really went. */
const placeOf = (tenant: string, server: string, version: number): string =>
  `/${tenant}/${server}/${version}`;

const publish = (...versions: readonly number[]): void => {
  for (const tenant of TENANTS) {
    const served = SERVERS.map((server) => {
      const urls = versions.map((version) => [
        `${version}.0.0`,
        [`${base}${placeOf(tenant, server, version)}`],
      ]);
      return [server, Object.fromEntries(urls)];
    });
    registry.source.put(tenantOf(tenant, Object.fromEntries(served)));
  }
};

/** Where a call for a version of a server ends: its place, or the status of the refusal. */
const outcome = async (tenant: string, server: string, version: number): Promise<string | number> => {
  const headers = { 'x-version': `${version}.0.0` };
  const answer = await httpCall(world.origin, `/t/${tenant}/mcp/${server}`, { headers });
  return answer.status === 200 ? (JSON.parse(answer.text) as { place: string }).place : answer.status;
};

/** One call for that version of every server; how many were answered, each by its own place, and how many refused. */
const callAll = async (version: number): Promise<{ readonly served: number; readonly refused: number }> => {
  const targets = TENANTS.flatMap((tenant) => SERVERS.map((server) => ({ tenant, server })));
  const astray: string[] = [];
  let served = 0;
  let refused = 0;
  while (targets.length > 0) {
    const batch = targets.splice(0, CALLS_AT_ONCE);
    const note = async ({ tenant, server }: { tenant: string; server: string }): Promise<void> => {
      const place = await outcome(tenant, server, version);
      if (place === placeOf(tenant, server, version)) served += 1;
      else if (place === 503) refused += 1;
      else astray.push(`${tenant}/${server} ${version} → ${place}`);
    };
    await Promise.all(batch.map(note));
  }
  expect(astray).toEqual([]);
  return { served, refused };
};
const ALL = { served: TENANTS.length * SERVERS.length, refused: 0 };
const NONE = { served: 0, refused: TENANTS.length * SERVERS.length };

const settled = (): Promise<number> =>
  until(
    'Envoy has acknowledged everything',
    async () => {
      const text = `"acknowledgedSequence":${await registry.source.lastSequence()}`;
      return (await world.ops('/readyz').catch(() => '')).includes(text);
    },
    60_000,
  );

const figure = async (name: string): Promise<number> =>
  Number(/: (\d+)/.exec(await world.admin(`/stats?filter=^${name}$`))?.[1]);

const kill = async (): Promise<void> => {
  xds.kill('SIGKILL');
  await world.ended(xds);
};
const start = (): void => {
  xds = world.run('xds-server/main.ts');
};

beforeAll(async () => {
  echo = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ place: request.url }));
  });
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  steady = await startUpstream('steady');
  world = await startProcessWorld(({ headers }) => ({ version: headers['x-version'] ?? '1.0.0' }));
  registry = await world.startRegistry();
  registry.source.put(tenantOf('default', { steady: { '1.0.0': [steady.url] } }));
  publish(1);
  start();
  world.run('envoy/main.ts');
  await settled();
}, 120_000);

afterAll(async () => {
  await world?.stop();
  echo?.close();
  await steady?.stop();
});

/** Has the change told, and xds-server killed as soon as Envoy shows the first sign of it. */
const killWithin = async (change: () => void, hasBegun: () => Promise<boolean>): Promise<void> => {
  change();
  await until('Envoy has begun', hasBegun, 30_000);
  await kill();
};

const goOn = async (): Promise<void> => {
  start();
  await settled();
};

/** Routes are told tenant by tenant, in the order of their names. */
const isFirstServed = async (version: number): Promise<boolean> =>
  (await outcome('t0', 's0', version)) === placeOf('t0', 's0', version);

describe('an xds-server that is killed among hundreds of clusters', () => {
  it('with new clusters told and not their routes leaves what was there as it was', async () => {
    const stream = await openStream(world.origin, '/mcp/steady');
    const before = await figure('cluster_manager.cluster_added');
    await killWithin(
      () => publish(1, 2),
      async () => (await figure('cluster_manager.cluster_added')) > before,
    );
    expect(await callAll(1)).toEqual(ALL);
    // Had it been told everything before it was killed, this would prove nothing.
    expect((await callAll(2)).refused).toBeGreaterThan(0);
    await goOn();
    expect([await callAll(1), await callAll(2)]).toEqual([ALL, ALL]);
    expect(stream.isOpen()).toBe(true);
    stream.close();
  }, 120_000);

  it('with some routes told and not the others serves what was told', async () => {
    const stream = await openStream(world.origin, '/mcp/steady');
    await killWithin(
      () => publish(1, 2, 3),
      () => isFirstServed(3),
    );
    expect([await callAll(1), await callAll(2)]).toEqual([ALL, ALL]);
    await callAll(3);
    await goOn();
    expect([await callAll(1), await callAll(2), await callAll(3)]).toEqual([ALL, ALL, ALL]);
    expect(stream.isOpen()).toBe(true);
    stream.close();
  }, 120_000);

  it('while it takes away what is no more leaves what is to stay', async () => {
    const stream = await openStream(world.origin, '/mcp/steady');
    await killWithin(
      () => publish(3),
      async () => !(await isFirstServed(2)),
    );
    expect(await callAll(3)).toEqual(ALL);
    await callAll(2);
    await goOn();
    expect([await callAll(1), await callAll(2), await callAll(3)]).toEqual([NONE, NONE, ALL]);
    expect(stream.isOpen()).toBe(true);
    stream.close();
  }, 120_000);
});
