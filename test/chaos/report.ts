// What a run says for itself: a line for each experiment, for people, and the whole of it as JSON, for programs.

import { type ChaosReport, violationsIn } from '#test/chaos/chaos.ts';
import type { Outcome } from '#test/chaos/runner.ts';

/** Kinds of errors that fit a line; the JSON has all. */
const KINDS_SHOWN = 3;

const errorsOf = (errors: Readonly<Record<string, number>>): string => {
  const kinds = Object.entries(errors).toSorted(([, one], [, other]) => other - one);
  const shown = kinds.slice(0, KINDS_SHOWN).map(([kind, count]) => `${count} × ${kind}`);
  const rest = kinds.slice(KINDS_SHOWN).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`${rest} others`] : [])].join(', ') || 'none';
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const sumOf = (errors: Readonly<Record<string, number>>): number =>
  Object.values(errors).reduce((sum, count) => sum + count, 0);

/** One experiment as a line, and its violations below it. */
export const describeOutcome = (outcome: Outcome): string => {
  const { name, calls, errors, writeErrors, recoveryMs, readyMs, violations } = outcome;
  const writes = sumOf(writeErrors);
  const line = [
    name.padEnd(30),
    `${String(calls).padStart(5)} calls`,
    `ready after ${seconds(readyMs).padStart(6)}`,
    `back after ${seconds(recoveryMs).padStart(6)}`,
    `errors: ${errorsOf(errors)}${writes > 0 ? `; ${writes} writes` : ''}`,
  ].join('  ');
  return [line, ...countedLines(violations)].join('\n');
};

const countedLines = (violations: readonly string[]): readonly string[] =>
  [...new Set(violations)].map((what) => {
    const count = violations.filter((other) => other === what).length;
    return `    VIOLATION: ${what}${count > 1 ? ` (${count} times)` : ''}`;
  });

/** The end of a run. */
export const describeReport = (report: ChaosReport): string => {
  const { acknowledged = 0, refused = 0, unknown = 0 } = report.writes;
  const found = violationsIn(report).length;
  return [
    '',
    ...countedLines(report.violations),
    `${report.outcomes.length} experiments, ${report.calls} calls, ${report.onRecord} of them allowed and on record`,
    `writes to the registry: ${acknowledged} acknowledged, ${refused} refused, ${unknown} without an answer`,
    found === 0 ? 'no violation' : `${found} violations`,
    `to repeat: --seed ${report.seed}`,
  ].join('\n');
};
