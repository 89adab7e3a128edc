// Counts what Vitest ran, file by file, and writes it down for the suite's closing line. A file that could not be loaded
// counts as a failure: tests that never ran did not pass.

import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { FileCounts, TestRun } from '#test/support/suite-counts.ts';

const countModule = (module: TestModule): FileCounts => {
  const tests = [...module.children.allTests()];
  const inState = (...states: string[]) => tests.filter((test) => states.includes(test.result().state));
  const failedTests = inState('failed', 'pending').map((test) => test.fullName);
  // A module that failed though none of its tests did broke while loading, or in a hook.
  if (failedTests.length === 0 && module.state() === 'failed') failedTests.push('the file as a whole');
  return {
    file: module.relativeModuleId,
    passed: inState('passed').length,
    skipped: inState('skipped').length,
    failedTests,
  };
};

/** Writes the whole run, as JSON, to the file named by MCPGW_COUNTS_FILE. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const run: TestRun = { files: modules.map(countModule), errors: unhandledErrors.length };
    const file = process.env['MCPGW_COUNTS_FILE'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(run));
  }
}
