// Counts what Vitest ran and writes it down for the suite's closing line. A file that could not be loaded counts as a
// failure: tests that never ran did not pass. Tests that needed a second attempt are named, so that none flakes unseen.

import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** File and full name of each test that failed at first and passed when tried again. */
  readonly flaky: readonly string[];
};

export const NOTHING_RAN: Counts = { passed: 0, failed: 0, skipped: 0, flaky: [] };

const countModule = (module: TestModule): Counts => {
  const tests = [...module.children.allTests()];
  const states = tests.map((test) => test.result().state);
  const count = (state: string): number => states.filter((candidate) => candidate === state).length;
  const failed = count('failed') + count('pending');
  // A module that failed though none of its tests did broke while loading, or in a hook.
  const broken = failed === 0 && module.state() === 'failed' ? 1 : 0;
  const flaky = tests
    .filter((test) => test.diagnostic()?.flaky)
    .map((test) => `${module.relativeModuleId}: ${test.fullName}`);
  return { passed: count('passed'), failed: failed + broken, skipped: count('skipped'), flaky };
};

const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  flaky: [...a.flaky, ...b.flaky],
});

/** Writes the counts of the whole run, as JSON, to the file named by MCPGW_COUNTS_FILE. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const start: Counts = { ...NOTHING_RAN, failed: unhandledErrors.length };
    const counts = modules.map(countModule).reduce(add, start);
    const file = process.env['MCPGW_COUNTS_FILE'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}
