// The short version of `npm run chaos`: four parts of the running product killed under load, and nothing that must never be.

import { expect, it } from 'vitest';
import { runChaos, violationsIn } from '#test/chaos/chaos.ts';
import { EXPERIMENTS, SHORT } from '#test/chaos/experiments.ts';

const HOLD_MS = 2_000;

/** Calls a second: few, because everything else runs on this machine too. */
const RATE = 25;

it('parts are killed under load, and nothing happens that must not', { timeout: 240_000 }, async () => {
  const report = await runChaos({
    seed: 1,
    experiments: EXPERIMENTS.filter(({ name }) => SHORT.includes(name)),
    rate: RATE,
    holdMs: HOLD_MS,
    say: () => undefined,
    onOutcome: () => undefined,
  });
  expect(violationsIn(report)).toEqual([]);
  expect(report.outcomes.map(({ name }) => name).toSorted()).toEqual([...SHORT].toSorted());
  for (const { name, worked, rightlyRefused } of report.outcomes) {
    expect(worked, name).toBeGreaterThan(0);
    expect(rightlyRefused, name).toBeGreaterThan(0);
  }
  // The faults were there: what guards answers was gone, and writes found no registry.
  const of = (name: string) => report.outcomes.find((outcome) => outcome.name === name);
  expect(of('kill ext-proc')?.errors).not.toEqual({});
  expect(of('kill registry')?.writeErrors).not.toEqual({});
  expect(report.writes['acknowledged']).toBeGreaterThan(0);
  expect(report.onRecord).toBeGreaterThan(0);
});
