// `npm run bench:xds`: two calls of the API bring a new version of a server into service, one that publishes it and one
// that activates it; measured is how long after each the first allowed call reaches it through Envoy, among 10, 100 and
// 1,000 servers with twenty tools each, twenty servers a tenant. All processes are the real ones. Three worlds run side by
// side and take turns, so that only ratios are read.

import { setTimeout as sleep } from 'node:timers/promises';
import { type NewVersionTimes, timeNewVersion } from '#test/bench/new-version.ts';
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
  readonly rounds: NewVersionTimes[];
};

const start = async (size: number, surroundings: Surroundings): Promise<Bench> => {
  const startedAt = performance.now();
  const world = await startScaleWorld(size, surroundings);
  console.log(`${size} servers started in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return { size, world, rounds: [] };
};

const takeTurns = async (benches: readonly Bench[], surroundings: Surroundings, from: number, to: number) => {
  for (let round = from; round < to; round += 1)
    for (const bench of benches) {
      bench.rounds.push(await timeNewVersion(bench.world, surroundings, { round }));
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

const report = ({ size, world, rounds }: Bench, before: Reading, after: Reading): void => {
  console.log(`\n${size} servers × 20 tools in ${world.tenants.length} tenants, per new version`);
  console.log(`  publishing to traffic  ${spread(rounds.map(({ published }) => published))}`);
  console.log(`  of that, two API calls ${spread(rounds.map(({ api }) => api))}`);
  console.log(`  activating to traffic  ${spread(rounds.map(({ activated }) => activated))}`);
  console.log(`  sent to Envoy          ${((after.bytes - before.bytes) / ROUNDS / 1024).toFixed(1)} KiB`);
  for (const name of PROGRAMS) {
    const cpuMs = (after.usage[name].cpuMs - before.usage[name].cpuMs) / ROUNDS;
    const rss = after.usage[name].rssMib.toFixed(0);
    console.log(`  ${name.padEnd(10)}             CPU ${cpuMs.toFixed(1)} ms, resident ${rss} MiB`);
  }
};

const growth = (benches: readonly Bench[], measure: keyof NewVersionTimes): string => {
  const medians = benches.map(({ size, rounds }) => ({
    size,
    median: at(
      rounds.map((each) => each[measure]),
      0.5,
    ),
  }));
  const [least, ...others] = medians;
  return [
    measure.padEnd(10),
    ...others.map(({ size, median }) => `${size} servers: ${(median / (least?.median ?? 0)).toFixed(2)}×`),
  ].join('  ');
};

const surroundings = await startSurroundings();
const benches: Bench[] = [];
try {
  for (const size of SIZES) benches.push(await start(size, surroundings));
  await takeTurns(benches, surroundings, 0, WARM_UP);
  for (const { rounds } of benches) rounds.length = 0;
  const before = await Promise.all(benches.map(read));
  await sleep(2_000);
  await takeTurns(benches, surroundings, WARM_UP, WARM_UP + ROUNDS);
  const after = await Promise.all(benches.map(read));
  for (const [index, bench] of benches.entries())
    report(bench, before[index] as Reading, after[index] as Reading);
  console.log('\ngrowth of the medians over the smallest');
  for (const measure of ['published', 'activated'] as const) console.log(`  ${growth(benches, measure)}`);
} finally {
  await Promise.all(benches.map(({ world }) => world.stop()));
  await surroundings.stop();
}
