// Two or three faults at once, drawn from a seed: none about the same part, each beginning a moment after the last.

import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_RECOVERY_MS, type Experiment } from '#test/chaos/experiment.ts';
import type { Random } from '#test/chaos/random.ts';

const MOST_AT_ONCE = 3;
const LONGEST_GAP_MS = 1_500;

/** Draws one combination. */
export const combine = (experiments: readonly Experiment[], random: Random): Experiment => {
  const chosen: Experiment[] = [];
  const count = 2 + Math.floor(random.next() * (MOST_AT_ONCE - 1));
  for (let draw = 0; draw < count; draw += 1) {
    const taken = new Set(chosen.flatMap(({ touches }) => touches));
    const free = experiments.filter(({ touches }) => !touches.some((name) => taken.has(name)));
    if (free.length > 0) chosen.push(random.pick(free));
  }
  const gaps = chosen.map(() => random.next() * LONGEST_GAP_MS);
  const limits = chosen.map(({ recoveryMs = DEFAULT_RECOVERY_MS }) => recoveryMs);
  return {
    name: chosen.map(({ name }) => name).join(' + '),
    promise: 'everything that no fault may cost',
    costs: 'calls',
    touches: chosen.flatMap(({ touches }) => touches),
    // What one of them waits for may itself be away, so their times add up.
    recoveryMs: limits.reduce((sum, limit) => sum + limit, 0),
    begin: async (world) => {
      for (const [index, experiment] of chosen.entries()) {
        await experiment.begin(world);
        await sleep(gaps[index]);
      }
    },
    end: async (world) => {
      for (const experiment of chosen) await experiment.end(world);
    },
  };
};
