// What a run says for itself: a line for each experiment, for people, and the whole of it as JSON, for programs.

import { type ChaosReport, violationsIn } from '#test/chaos/chaos.ts';
import type { Outcome } from '#test/chaos/runner.ts';
import { describeViolations } from '#test/chaos/violations.ts';

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
  return [line, ...describeViolations(violations)].join('\n');
};

/** The end of a run. */
export const describeReport = (report: ChaosReport): string => {
  const { acknowledged = 0, refused = 0, unknown = 0 } = report.writes;
  const found = violationsIn(report).length;
  return [
    '',
    ...describeViolations(report.violations),
    `${report.outcomes.length} experiments, ${report.calls} calls, ${report.onRecord} of them allowed and on record`,
    `writes to the registry: ${acknowledged} acknowledged, ${refused} refused, ${unknown} without an answer`,
    found === 0 ? 'no violation' : `${found} violations`,
  ].join('\n');
};

/**
 * What repeats a run: the same options, with the seed it drew. The seed draws combinations by their number, so that they come
 * again under the same options only.
 */
export const describeRepetition = (given: readonly string[], seed: number): string => {
  const kept = given.filter((text, index) => !text.startsWith('--seed') && given[index - 1] !== '--seed');
  const quoted = kept.map((text) => (/^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`));
  return `to repeat: npm run chaos -- ${[...quoted, '--seed', String(seed)].join(' ')}`;
};
