// One experiment from calm to calm: waits until all is well, lets the fault begin, last and end, and waits until all is well
// again. What it cost is read from the oracle's records afterwards.

import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_RECOVERY_MS, type Experiment } from '#test/chaos/experiment.ts';
import type { CallRecord, Oracle } from '#test/chaos/oracle.ts';
import { describeViolations, type Violation } from '#test/chaos/violations.ts';
import type { World } from '#test/chaos/world.ts';

export type Outcome = {
  readonly name: string;
  readonly promise: string;
  /** Calls through the gateway from the fault's beginning to the calm after it. */
  readonly calls: number;
  readonly worked: number;
  /** Refused as they had to be. */
  readonly rightlyRefused: number;
  /** What was not as it is when nothing is broken, by kind: `broken: ECONNRESET` and so on. */
  readonly errors: Readonly<Record<string, number>>;
  /** The same of writes to the registry. */
  readonly writeErrors: Readonly<Record<string, number>>;
  /** From the end of the fault to the start of the last call or write that was not right, milliseconds. */
  readonly recoveryMs: number;
  /** From the end of the fault until the parts it was about said that they are ready, milliseconds. */
  readonly readyMs: number;
  readonly violations: readonly Violation[];
};

/** What the runner needs of the load. */
export type Watched = {
  /** Age of the oldest call without an answer, streams left out, milliseconds. */
  oldestMs(): number;
};

/** So long nothing is wrong before it counts as calm. */
const CALM_MS = 2_500;

/** Longer than any call takes when all is well, on a busy machine too. */
const SLOW_MS = 1_500;

const DEFAULT_HOLD_MS = 4_000;

/** Before the first fault things may take as long as they do on a machine that is busy. */
const FIRST_CALM_MS = 60_000;

/** A call that began so much after the fault was in force was nobody's to have in hand. */
const IN_HAND_MS = 1_000;

const POLL_MS = 100;

/**
 * A call that fails after so long ran into a time limit. Where many programs want the same cores a few do with nothing broken;
 * a part that is waited for in vain makes many.
 */
const LATE_MS = 4_000;
const LATE_SHARE = 0.02;

const countBy = (records: readonly CallRecord[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { kind, outcome, side } of records) {
    // A call that is refused as it must be, but for another reason, is told apart by what it was.
    const name = side === 'write' || outcome !== 'worked' ? outcome : `${outcome}: ${kind}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/**
 * Resolves with true once nothing was wrong for a while after `quietFrom`; with false when the time from `since` is over. A part
 * that has just come back has had no call yet: that none failed before says nothing of it.
 */
const untilCalm = async (
  { oracle, watched }: { readonly oracle: Oracle; readonly watched: Watched },
  {
    since,
    quietFrom = since,
    limitMs,
  }: { readonly since: number; readonly quietFrom?: number; readonly limitMs: number },
): Promise<boolean> => {
  while (Date.now() - since < limitMs + CALM_MS) {
    await sleep(POLL_MS);
    const lastBad = oracle.records().findLast(({ isBad, startedAt }) => isBad && startedAt >= since);
    const quietSince = Math.max(quietFrom, lastBad?.startedAt ?? 0);
    if (Date.now() - quietSince >= CALM_MS && watched.oldestMs() < SLOW_MS) return true;
  }
  return false;
};

type Times = { readonly inForceAt: number; readonly endedAt: number };

/** What the fault cost although it was promised that it would not. */
const brokenPromises = (
  { costs }: Experiment,
  calls: readonly CallRecord[],
  { inForceAt, endedAt }: Times,
): readonly string[] => {
  if (costs === 'calls') return [];
  const bad = calls.filter(({ isBad }) => isBad);
  const dear =
    costs === 'nothing'
      ? bad
      : bad.filter(({ startedAt }) => startedAt > inForceAt + IN_HAND_MS && startedAt < endedAt);
  const late = dear.filter((record) => record.endedAt - record.startedAt > LATE_MS);
  const isBroken = dear.length > late.length || late.length > LATE_SHARE * calls.length;
  return isBroken
    ? [`${dear.length} calls failed, and the promise is "${costs}": ${JSON.stringify(countBy(dear))}`]
    : [];
};

export type Running = {
  readonly world: World;
  readonly oracle: Oracle;
  readonly watched: Watched;
  readonly holdMs?: number | undefined;
  /** Hears what happens. */
  readonly say: (what: string) => void;
};

/**
 * Runs it.
 * @throws if things are not calm before it begins: nothing could be said of the fault
 */
export const runExperiment = async (experiment: Experiment, running: Running): Promise<Outcome> => {
  const { world, oracle, say } = running;
  const { recoveryMs: limitMs = DEFAULT_RECOVERY_MS } = experiment;
  const before = Date.now();
  if (!(await untilCalm(running, { since: before, limitMs: FIRST_CALM_MS }))) {
    const bad = oracle.records().filter(({ isBad, startedAt }) => isBad && startedAt >= before);
    const what = `${JSON.stringify(countBy(bad))}, the oldest call waits ${running.watched.oldestMs()} ms`;
    // What was seen until now is told here or nowhere: it may well be why.
    const seen = describeViolations(oracle.violations()).map((line) => `\n${line}`);
    throw new Error(`${experiment.name}: calls fail though nothing is broken: ${what}${seen.join('')}`);
  }
  const beganAt = Date.now();
  const violationsBefore = oracle.violations().length;
  say('begins');
  await experiment.begin(world);
  const inForceAt = Date.now();
  await sleep(experiment.holdMs ?? running.holdMs ?? DEFAULT_HOLD_MS);
  say('ends');
  const endedAt = Date.now();
  await experiment.end(world);
  const readyAt = Date.now();
  const readyMs = readyAt - endedAt;
  const isCalm = await untilCalm(running, { since: endedAt, quietFrom: readyAt, limitMs });
  const records = oracle.records().filter((record) => record.endedAt >= beganAt);
  const bad = records.filter(({ isBad }) => isBad);
  const calls = records.filter(({ side }) => side === 'call');
  const found = oracle.violations().slice(violationsBefore);
  return {
    name: experiment.name,
    promise: experiment.promise,
    calls: calls.length,
    worked: calls.filter(({ outcome }) => outcome === 'worked').length,
    rightlyRefused: calls.filter(({ isBad, outcome }) => !isBad && outcome !== 'worked').length,
    errors: countBy(bad.filter(({ side }) => side === 'call')),
    writeErrors: countBy(bad.filter(({ side }) => side === 'write')),
    recoveryMs: Math.max(0, ...bad.map(({ startedAt }) => startedAt - endedAt)),
    readyMs,
    violations: [
      ...found,
      ...[
        ...brokenPromises(experiment, calls, { inForceAt, endedAt }),
        ...(isCalm ? [] : [`not back to normal ${limitMs / 1_000} s after the fault ended`]),
      ].map((what) => ({ at: endedAt, what })),
    ],
  };
};
