// Whether a version did worse than its owner allows. A signal is a line of one table here and a name in
// core/traffic-split.ts; what is measured elsewhere joins by the figures it is given.

import { type CallFigures, errorRate, LATENCY_BOUNDS_MS, latencyPercentile } from '#core/call-figures.ts';
import type { AbortRule, AbortSignalName } from '#core/traffic-split.ts';

/** A limit that was passed, and by what. */
export type Breach = {
  readonly signal: AbortSignalName;
  readonly value: number;
  readonly limit: number;
  readonly calls: number;
};

/** The last bucket has no end; what is in it took at least this long, and a number without an end is no JSON. */
const LONGEST_MS = LATENCY_BOUNDS_MS.at(-1) ?? 0;

/** How each signal is read off; undefined: there is nothing to read it off. */
const SIGNALS: Readonly<Record<AbortSignalName, (figures: CallFigures) => number | undefined>> = {
  'error-rate': errorRate,
  'latency-p95': (figures) => latencyPercentile(figures, 0.95),
};

/** The first limit that figures of the whole window pass; undefined: none, or too few calls to say. */
export const judgeFigures = (
  { limits, minimumCalls }: AbortRule,
  figures: CallFigures,
): Breach | undefined => {
  const { calls } = figures;
  if (calls < minimumCalls) return undefined;
  const [breach] = limits.flatMap(({ signal, maximum }) => {
    const value = SIGNALS[signal](figures);
    if (value === undefined || value <= maximum) return [];
    return [{ signal, value: Math.min(value, Math.max(LONGEST_MS, maximum)), limit: maximum, calls }];
  });
  return breach;
};

/** The breach in words, for the record of the change. */
export const describeBreach = ({ signal, value, limit, calls }: Breach, windowSeconds: number): string => {
  const figure = (number: number): string =>
    signal === 'error-rate' ? `${Math.round(number * 1_000) / 10} %` : `${number} ms`;
  return `${signal} of ${figure(value)} is over ${figure(limit)}, in ${calls} calls of ${windowSeconds} s`;
};
