// Unit tests of suite-counts.ts.

import { describe, expect, it } from 'vitest';
import {
  closingLine,
  countFailures,
  type FileCounts,
  filesToRunAgain,
  type TestRun,
  withSecondRun,
} from '#test/support/suite-counts.ts';

const file = (name: string, failedTests: readonly string[] = [], passed = 2): FileCounts => ({
  file: name,
  passed,
  skipped: 0,
  failedTests,
});
const run = (...files: FileCounts[]): TestRun => ({ files, errors: 0 });

describe('what runs again', () => {
  it('is what failed', () => {
    expect(filesToRunAgain(run(file('a'), file('b', ['x'])))).toEqual(['b']);
  });

  it('is nothing where much failed', () => {
    const files = Array.from({ length: 9 }, (_value, index) => file(`f${index}`, ['x']));
    expect(filesToRunAgain(run(...files.slice(1)))).toHaveLength(8);
    expect(filesToRunAgain(run(...files))).toEqual([]);
  });
});

describe('a second run', () => {
  const first = run(file('a'), file('b', ['x', 'y'], 1));

  it('that passes replaces the first, and what failed at first is named', () => {
    const { run: whole, late } = withSecondRun(first, run(file('b', [], 3)));
    expect(closingLine(whole)).toBe('5 passed, 0 failed');
    expect(late).toEqual(['b: x', 'b: y']);
  });

  it('that fails counts, whichever test it is', () => {
    const { run: whole, late } = withSecondRun(first, run(file('b', ['y', 'z'], 1)));
    expect(closingLine(whole)).toBe('3 passed, 2 failed');
    expect(late).toEqual(['b: x']);
  });

  it('that never came to a file leaves its failures', () => {
    const { run: whole, late } = withSecondRun(first, run());
    expect(countFailures(whole)).toBe(2);
    expect(late).toEqual([]);
  });

  it('forgives no error that nobody caught', () => {
    const { run: whole } = withSecondRun({ ...first, errors: 1 }, run(file('b', [], 3)));
    expect(countFailures(whole)).toBe(1);
  });
});

it('the closing line says what was skipped', () => {
  expect(closingLine({ files: [{ ...file('a'), skipped: 1 }], errors: 0 })).toBe(
    '2 passed, 0 failed, 1 skipped',
  );
});
