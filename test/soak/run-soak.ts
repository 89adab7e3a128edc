// The whole product under constant mixed load, looked at again and again: what each figure was over time, and whether it grows.

import { setTimeout as sleep } from 'node:timers/promises';
import { startWatch } from '#test/chaos/chaos.ts';
import type { Violation } from '#test/chaos/violations.ts';
import { startWorld } from '#test/chaos/world.ts';
import { type Figure, sampleWorld, type Unit } from '#test/soak/sample-world.ts';
import { type Allowance, judgeGrowth, type Sample, type Verdict } from '#test/soak/series.ts';

export type SoakOptions = {
  readonly seconds: number;
  readonly everySeconds: number;
  /** Calls a second. */
  readonly rate: number;
  readonly seed: number;
  readonly say: (line: string) => void;
};

export type Series = {
  readonly name: string;
  readonly unit: Unit;
  readonly samples: readonly Sample[];
  /** Undefined where there were too few samples. */
  readonly verdict: Verdict | undefined;
};

export type SoakReport = {
  readonly calls: number;
  /** Calls and writes that did not go as they must when nothing is broken. */
  readonly bad: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly series: readonly Series[];
};

type Growing = { readonly unit: Unit; readonly allowance: Allowance; readonly samples: Sample[] };

/** A machine that is busy doubles a latency without anything being wrong with us. */
const LATENCY: Allowance = { share: 1, least: 50 };

type Watch = Awaited<ReturnType<typeof startWatch>>;

const latenciesSince = ({ oracle }: Watch, from: number): readonly Figure[] => {
  const sorted = oracle
    .records()
    .slice(from)
    .filter(({ side, outcome, kind }) => side === 'call' && outcome === 'worked' && !kind.includes('stream'))
    .map(({ startedAt, endedAt }) => endedAt - startedAt)
    .sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return sorted.length === 0
    ? []
    : [
        { name: 'calls p50', value: at(0.5), unit: 'ms', allowance: LATENCY },
        { name: 'calls p95', value: at(0.95), unit: 'ms', allowance: LATENCY },
      ];
};

const lineOf = (atSeconds: number, figures: readonly Figure[], calls: number): string => {
  const told = figures.filter(({ name }) => / (?:resident|heap|descriptors)$|^calls/.test(name));
  const words = told.map(
    ({ name, value, unit }) => `${name} ${value.toFixed(0)}${unit === '' ? '' : ` ${unit}`}`,
  );
  return `${atSeconds.toFixed(0)} s, ${calls} calls: ${words.join(', ')}`;
};

const badOf = ({ oracle }: Watch): Readonly<Record<string, number>> => {
  const bad: Record<string, number> = {};
  for (const { isBad, side, kind, outcome } of oracle.records()) {
    if (!isBad) continue;
    const name = `${side} ${kind}: ${outcome}`;
    bad[name] = (bad[name] ?? 0) + 1;
  }
  return bad;
};

const seriesOf = (growing: ReadonlyMap<string, Growing>): readonly Series[] =>
  [...growing].map(([name, { unit, allowance, samples }]) => ({
    name,
    unit,
    samples,
    verdict: judgeGrowth(samples, allowance),
  }));

/** Runs one soak to its end. */
export const runSoak = async (options: SoakOptions): Promise<SoakReport> => {
  const { seconds, everySeconds, say } = options;
  const world = await startWorld({ say });
  try {
    const watch = await startWatch(world, options);
    const growing = new Map<string, Growing>();
    const keep = (atSeconds: number, figures: readonly Figure[]): void => {
      for (const { name, value, unit, allowance } of figures) {
        const series = growing.get(name) ?? { unit, allowance, samples: [] };
        series.samples.push({ atSeconds, value });
        growing.set(name, series);
      }
    };
    const startedAt = performance.now();
    try {
      let known = 0;
      for (let atSeconds = 0; atSeconds < seconds; ) {
        await sleep(everySeconds * 1_000);
        atSeconds = (performance.now() - startedAt) / 1_000;
        const figures = [...(await sampleWorld(world)), ...latenciesSince(watch, known)];
        known = watch.oracle.records().length;
        keep(atSeconds, figures);
        say(lineOf(atSeconds, figures, known));
      }
    } finally {
      await watch.stop();
    }
    watch.read();
    const { oracle } = watch;
    const violations = oracle.violations();
    return { calls: oracle.records().length, bad: badOf(watch), violations, series: seriesOf(growing) };
  } finally {
    await world.stop();
  }
};
