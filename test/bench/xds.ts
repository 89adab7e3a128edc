// `npm run bench:xds`: from the API call that publishes a new version of a server, and the one that activates it, to the
// first allowed call that reaches it through Envoy, among 10, 100 and 1,000 servers with twenty tools each, twenty servers
// a tenant. All processes are the real ones. Three worlds run side by side and take turns, so that only ratios are read.

import { setTimeout as sleep } from 'node:timers/promises';
import { callUntil, putVersion } from '#test/support/new-route.ts';
import {
  PROGRAMS,
  type ProgramName,
  type ScaleWorld,
  type Surroundings,
  startScaleWorld,
  startSurroundings,
  type Usage,
} from '#test/support/scale-world.ts';

const SIZES = [10, 100, 1_000];
const ROUNDS = 40;
/** Until the code that is measured has been compiled. */
const WARM_UP = 10;
/** Between two changes: what one leaves behind is paid for before the next. */
const PAUSE_MS = 300;

type Bench = {
  readonly size: number;
  readonly world: ScaleWorld;
  /** Milliseconds of each round from the first call of the API: to its last answer, and to traffic. */
  readonly api: number[];
  readonly traffic: number[];
};

const start = async (size: number, surroundings: Surroundings): Promise<Bench> => {
  const startedAt = performance.now();
  const world = await startScaleWorld(size, surroundings);
  console.log(`${size} servers started in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return { size, world, api: [], traffic: [] };
};

const change = async (bench: Bench, surroundings: Surroundings, round: number): Promise<void> => {
  const { world, api, traffic } = bench;
  const tenant = world.tenants[round % world.tenants.length];
  const server = tenant?.servers[round % tenant.servers.length];
  if (tenant === undefined || server === undefined) throw new Error('there is one');
  const [adminToken, token] = [await surroundings.adminToken(), await surroundings.callerToken(server.id)];
  const url = `${world.gateway}/t/${tenant.id}/mcp/${server.id}`;
  const place = { api: `${world.registry}/v1/tenants/${tenant.id}/servers/${server.id}`, token: adminToken };
  await callUntil(url, token, '/v/');
  const startedAt = performance.now();
  const path = await putVersion(place, server, { name: `2.0.${round}`, host: surroundings.upstreamHost });
  api.push(performance.now() - startedAt);
  await callUntil(url, token, path);
  traffic.push(performance.now() - startedAt);
};

const takeTurns = async (benches: readonly Bench[], surroundings: Surroundings, from: number, to: number) => {
  for (let round = from; round < to; round += 1)
    for (const bench of benches) {
      await change(bench, surroundings, round);
      await sleep(PAUSE_MS);
    }
};

type Reading = { readonly bytes: number; readonly usage: Readonly<Record<ProgramName, Usage>> };

const read = async ({ world }: Bench): Promise<Reading> => {
  const bytes = await world.adsBytes();
  const usage = await Promise.all(PROGRAMS.map(async (name) => [name, await world.usage(name)] as const));
  return { bytes, usage: Object.fromEntries(usage) as Record<ProgramName, Usage> };
};

const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;

const spread = (values: readonly number[]): string => {
  const [min, median, max] = [0, 0.5, 1].map((share) => at(values, share).toFixed(1));
  return `min ${min} ms  median ${median} ms  max ${max} ms`;
};

const report = ({ size, world, api, traffic }: Bench, before: Reading, after: Reading): void => {
  console.log(`\n${size} servers × 20 tools in ${world.tenants.length} tenants, per new version`);
  console.log(`  API call to traffic  ${spread(traffic)}`);
  console.log(`  of that, the API     ${spread(api)}`);
  console.log(`  sent to Envoy        ${((after.bytes - before.bytes) / ROUNDS / 1024).toFixed(1)} KiB`);
  for (const name of PROGRAMS) {
    const cpuMs = (after.usage[name].cpuMs - before.usage[name].cpuMs) / ROUNDS;
    const rss = after.usage[name].rssMib.toFixed(0);
    console.log(`  ${name.padEnd(10)}           CPU ${cpuMs.toFixed(1)} ms, resident ${rss} MiB`);
  }
};

const surroundings = await startSurroundings();
const benches: Bench[] = [];
try {
  for (const size of SIZES) benches.push(await start(size, surroundings));
  await takeTurns(benches, surroundings, 0, WARM_UP);
  for (const { api, traffic } of benches) api.length = traffic.length = 0;
  const before = await Promise.all(benches.map(read));
  await sleep(2_000);
  await takeTurns(benches, surroundings, WARM_UP, WARM_UP + ROUNDS);
  const after = await Promise.all(benches.map(read));
  for (const [index, bench] of benches.entries())
    report(bench, before[index] as Reading, after[index] as Reading);
  const [least, ...others] = benches.map(({ size, traffic }) => ({ size, median: at(traffic, 0.5) }));
  const growth = others.map(({ size, median }) => `${size}: ${(median / (least?.median ?? 0)).toFixed(2)}×`);
  console.log(`\ngrowth of the median over ${least?.size} servers   ${growth.join('   ')}`);
} finally {
  await Promise.all(benches.map(({ world }) => world.stop()));
  await surroundings.stop();
}
