// The registry is away for an hour. xds-server, Envoy and their copies live through it, also through a restart within it;
// operators see how old what is served is; what changed meanwhile arrives when the registry is back.

import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { until } from '#test/support/xds-gateway.ts';
import { type ProcessWorld, startProcessWorld } from '#test/support/xds-process-world.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { tenantOf } from '#test/support/xds-world.ts';

const HOUR_SECONDS = 3_600;

let world: ProcessWorld;
let upstream: Upstream;

beforeEach(async () => {
  world = await startProcessWorld();
  upstream = await startUpstream('one');
});
afterEach(async () => {
  await world.stop();
  await upstream.stop();
});

const statusOf = async (server: string): Promise<number | undefined> =>
  (await httpCall(world.origin, `/mcp/${server}`).catch(() => undefined))?.status;

const tenant = (...servers: readonly string[]) =>
  tenantOf('default', Object.fromEntries(servers.map((server) => [server, { '1.0.0': [upstream.url] }])));

const acknowledged = (sequence: number) =>
  until(
    `Envoy has acknowledged ${sequence}`,
    async () => (await world.ops('/readyz').catch(() => '')).includes(`"acknowledgedSequence":${sequence}`),
    30_000,
  );

const figure = async (name: string): Promise<number> =>
  Number(new RegExp(`^mcpgw_${name}\\{[^}]*\\} (\\S+)`, 'm').exec(await world.ops('/metrics'))?.[1]);

it('an hour without the registry costs no call, is told, and is made up for', async () => {
  const registry = await world.startRegistry();
  registry.source.put(tenant('one'));
  const xds = world.run('xds-server/main.ts');
  world.run('envoy/main.ts');
  await acknowledged(1);
  await until('the server is reached', async () => (await statusOf('one')) === 200);
  const stream = await openStream(world.origin, '/mcp/one');

  await registry.stop();
  await until('it is told that the registry is away', async () => (await figure('feed_connected')) === 0);
  expect(await world.readiness()).toMatchObject({ ready: true, registryConnected: false, source: 'feed' });
  xds.kill('SIGTERM');
  await world.ended(xds);
  // What an hour does to a copy, without waiting for it.
  const then = Date.now() / 1_000 - HOUR_SECONDS;
  await utimes(join(world.directory, 'xds-server-snapshot.json'), then, then);
  expect(await statusOf('one')).toBe(200);

  world.run('xds-server/main.ts');
  await acknowledged(1);
  const facts = await world.readiness();
  expect(facts).toMatchObject({ ready: true, registryConnected: false, source: 'disk', sequence: 1 });
  expect(facts['snapshotAgeSeconds']).toBeGreaterThanOrEqual(HOUR_SECONDS);
  expect(await figure('snapshot_age_seconds')).toBeGreaterThanOrEqual(HOUR_SECONDS);
  expect([await statusOf('one'), await statusOf('two')]).toEqual([200, 404]);

  registry.source.put(tenant('one', 'two'));
  await world.startRegistry(registry.source);
  await acknowledged(2);
  await until('what came meanwhile is served', async () => (await statusOf('two')) === 200);
  expect(await world.readiness()).toMatchObject({ registryConnected: true, source: 'feed', sequence: 2 });
  await until('the age is that of now', async () => (await figure('snapshot_age_seconds')) < 60, 30_000);
  expect(stream.isOpen()).toBe(true);
  stream.close();
}, 120_000);
