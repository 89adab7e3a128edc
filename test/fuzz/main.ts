// `npm run fuzz -- --minutes N [--seed S] [--only target]`: every target in turn for its share of the time, from new seeds.
// Prints the seed and the smallest input of what it finds, keeps that in the corpus, and ends with 1.

import { parseArgs } from 'node:util';
import { keepFinding } from '#test/fuzz/corpus.ts';
import type { Target } from '#test/fuzz/target.ts';
import { TARGETS } from '#test/fuzz/targets.ts';
import { tryTarget } from '#test/fuzz/try-target.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, only: { type: 'string' } },
});

const limitMs = Number(values.minutes) * 60_000;
if (!(limitMs > 0)) throw new Error('--minutes takes a number of minutes');
const firstSeed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(firstSeed)) throw new Error('--seed takes a whole number');
const chosen = TARGETS.filter(({ name }) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only takes one of ${TARGETS.map(({ name }) => name).join(', ')}`);

/** fast-check draws larger inputs the further it comes in one go, so a share is spent in several. */
const RUNS_AT_ONCE = 20_000;

/** True if all held. */
const spend = async (target: Target, shareMs: number): Promise<boolean> => {
  const end = performance.now() + shareMs;
  let [seed, runs] = [firstSeed, 0];
  for (; performance.now() < end; seed += 1) {
    const tried = await tryTarget(target, { seed, runs: RUNS_AT_ONCE, limitMs: end - performance.now() });
    runs += tried.runs;
    if (tried.counterexample === undefined) continue;
    const { bytes, what, isKept } = tried.counterexample;
    console.log(
      `${target.name}: FAULT after ${runs} inputs, --seed ${seed} --only ${target.name}\n  ${what}`,
    );
    console.log(`  input ${JSON.stringify(bytes.toString('utf8'))}, hex ${bytes.toString('hex')}`);
    if (!isKept) console.log(`  kept as ${keepFinding(target.name, bytes)}: name it for what it is`);
    return false;
  }
  console.log(`${target.name}: ${runs} inputs held, seeds ${firstSeed} to ${seed - 1}`);
  return true;
};

for (const target of chosen) if (!(await spend(target, limitMs / chosen.length))) process.exitCode = 1;
