// Whether a version did worse than its owner allows. A signal is a line of one table here and a name in
// core/traffic-split.ts; what is measured elsewhere joins by the figures it is given.

import {
  type CallFigures,
  errorRate,
  invalidRate,
  LATENCY_BOUNDS_MS,
  latencyPercentile,
} from '#core/call-figures.ts';
import { type AbortRule, type AbortSignalName, SHARE_SIGNALS } from '#core/traffic-split.ts';

/** A limit that was passed, and by what. */
export type Breach = {
  readonly signal: AbortSignalName;
  readonly value: number;
  readonly limit: number;
  readonly calls: number;
};

/** The last bucket has no end; what is in it took at least this long, and a number without an end is no JSON. */
const LONGEST_MS = LATENCY_BOUNDS_MS.at(-1) ?? 0;

type Reading = {
  /** Undefined: there is nothing to read it off. */
  readonly value: (figures: CallFigures) => number | undefined;
  /** How many it is read off: what the least number of calls is asked of. */
  readonly count: (figures: CallFigures) => number;
};

const calls = (figures: CallFigures): number => figures.calls;

/** Envoys count calls and ext-proc answers, in reports of their own: neither says how many the other saw. */
const SIGNALS: Readonly<Record<AbortSignalName, Reading>> = {
  'error-rate': { value: errorRate, count: calls },
  'latency-p95': { value: (figures) => latencyPercentile(figures, 0.95), count: calls },
  'invalid-answers': { value: invalidRate, count: ({ answers }) => answers?.judged ?? 0 },
};

/** The first limit that figures of the whole window pass; undefined: none, or too few calls to say. */
export const judgeFigures = (
  { limits, minimumCalls }: AbortRule,
  figures: CallFigures,
): Breach | undefined => {
  const [breach] = limits.flatMap(({ signal, maximum }) => {
    const count = SIGNALS[signal].count(figures);
    const value = SIGNALS[signal].value(figures);
    if (count < minimumCalls || value === undefined || value <= maximum) return [];
    return [{ signal, value: Math.min(value, Math.max(LONGEST_MS, maximum)), limit: maximum, calls: count }];
  });
  return breach;
};

/** The breach in words, for the record of the change. */
export const describeBreach = (
  { signal, value, limit, calls: count }: Breach,
  windowSeconds: number,
): string => {
  const figure = (number: number): string =>
    SHARE_SIGNALS.includes(signal) ? `${Math.round(number * 1_000) / 10} %` : `${number} ms`;
  const counted = signal === 'invalid-answers' ? 'judged answers' : 'calls';
  return `${signal} of ${figure(value)} is over ${figure(limit)}, in ${count} ${counted} of ${windowSeconds} s`;
};
