// Moves the pace of one cluster within its owner's bounds, by what Envoys measured of it. Pure: state, bounds, figures and
// time give the next state. Times come from a clock that does not go back; one that jumps makes a move early or late, no
// more.
//
// The time limit follows the slowest hundredth of answers: up at once, because a limit that lags behind cuts healthy
// calls, down in steps. Retries follow the share of attempts that fail: less of them at once, because each one is more
// load on what already fails, and back in slower steps; their budget is the small one from the first trouble on, and the
// large one again when everything else is back. Between the two thresholds nothing moves, nor does a limit that is off
// by less than a quarter; so figures that stand still bring everything to a stand.

import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import { type CallFigures, errorRate, latencyPercentile } from '#core/call-figures.ts';
import type { Pace } from '#core/pace.ts';

export type AdaptiveState = {
  readonly pace: Pace;
  /** When the time limit moved last, and when what belongs to retries did. */
  readonly limitAtMs: number;
  readonly retriesAtMs: number;
};

type Range = { readonly min: number; readonly max: number };

/** A limit is so many times what the slowest hundredth takes. */
const HEADROOM = 3;

/** A limit that is off by less is left alone. */
const TOLERANCE = 0.25;

/** A limit comes down by no more at once. */
const DOWN = 0.7;

/** Fewer within the window say nothing: attempts of how many fail, answers of how long they take. */
const ENOUGH = 20;

/** More failures than this are trouble, fewer than that are none; in between it is as it was. */
const TROUBLE = 0.1;
const CALM = 0.02;

/** With one of two replicas gone, half of all attempts fail and the retry on the other one is what helps. Beyond, none does. */
const HOPELESS = 0.5;

/** How far moves of one cluster are apart, and those by which it gets back what it lost. */
export type Pauses = { readonly moveMs: number; readonly recoveryMs: number };

/** A move shows in figures within a third of their window, and fills it within the whole. */
export const pausesFor = (windowMs: number): Pauses => ({ moveMs: 0.3 * windowMs, recoveryMs: windowMs });

const clamp = (value: number, { min, max }: Range): number => Math.min(max, Math.max(min, value));

const timeoutRange = ({ timeout }: AdaptiveSettings): Range | undefined =>
  timeout === undefined ? undefined : { min: timeout.minMs, max: timeout.maxMs };

const map = <T>(range: T | undefined, value: (range: T) => number): number | undefined =>
  range === undefined ? undefined : Math.round(value(range));

const paceOf = (values: { readonly [Field in keyof Pace]: number | undefined }): Pace =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const middle = ({ min, max }: Range): number => Math.sqrt(min * max);

/**
 * Where nothing is known yet, also after a restart in the midst of trouble: a limit that cuts nothing, one retry after a
 * middling pause, the large budget. The small one would be of no help where it is not needed, and shows in every Envoy.
 */
export const startingPace = (settings: AdaptiveSettings): Pace =>
  paceOf({
    timeoutMs: timeoutRange(settings)?.max,
    retries: map(settings.retries, ({ max }) => Math.min(1, max)),
    budgetPercent: settings.retries?.budgetPercent.max,
    backoffMs: map(settings.backoff?.baseMs, middle),
  });

/** It is one of two; where bounds changed and it is neither, it is the small one. */
const budgetWithin = (percent: number | undefined, range: Range | undefined): number | undefined =>
  range === undefined || percent === undefined || percent >= range.max ? range?.max : range.min;

/** The pace within bounds that may have changed since; what had no bound begins where it would begin. */
export const paceWithin = (settings: AdaptiveSettings, pace: Pace = {}): Pace => {
  const start = startingPace(settings);
  const kept = (value: number | undefined, range: Range | undefined, fallback: number | undefined) =>
    map(range, (bounds) => clamp(value ?? fallback ?? bounds.max, bounds));
  return paceOf({
    timeoutMs: kept(pace.timeoutMs, timeoutRange(settings), start.timeoutMs),
    retries: kept(pace.retries, settings.retries && { min: 0, max: settings.retries.max }, start.retries),
    budgetPercent: budgetWithin(pace.budgetPercent, settings.retries?.budgetPercent),
    backoffMs: kept(pace.backoffMs, settings.backoff?.baseMs, start.backoffMs),
  });
};

const timed = ({ latency }: CallFigures): number => latency.reduce((sum, count) => sum + count, 0);

const nextTimeout = (current: number, range: Range, figures: CallFigures): number => {
  const slowest = timed(figures) < ENOUGH ? undefined : latencyPercentile(figures, 0.99);
  if (slowest === undefined) return current;
  const target = clamp(HEADROOM * slowest, range);
  if (Math.abs(target - current) <= TOLERANCE * current && target !== range.max) return current;
  return target > current ? target : Math.max(target, current * DOWN);
};

const withLimit = (pace: Pace, settings: AdaptiveSettings, figures: CallFigures): Pace => {
  const range = timeoutRange(settings);
  if (range === undefined || pace.timeoutMs === undefined) return pace;
  return { ...pace, timeoutMs: Math.round(nextTimeout(pace.timeoutMs, range, figures)) };
};

/** Fewer and later retries. */
const backedOff = (pace: Pace, { retries }: AdaptiveSettings, rate: number): Pace =>
  paceOf({
    timeoutMs: pace.timeoutMs,
    retries: map(pace.retries, (now) => Math.max(Math.min(now, rate > HOPELESS ? 0 : 1), now - 1)),
    budgetPercent: retries?.budgetPercent.min,
    backoffMs: map(pace.backoffMs, (ms) => ms * 2),
  });

const recovered = (pace: Pace, { retries, backoff }: AdaptiveSettings): Pace => {
  const isRestBack = pace.retries === retries?.max && pace.backoffMs === backoff?.baseMs.min;
  return paceOf({
    timeoutMs: pace.timeoutMs,
    retries: map(pace.retries, (now) => now + 1),
    budgetPercent: isRestBack ? retries?.budgetPercent.max : pace.budgetPercent,
    backoffMs: map(pace.backoffMs, (ms) => Math.floor(ms / 1.5)),
  });
};

type Seen = { readonly settings: AdaptiveSettings; readonly figures: CallFigures };

const withRetries = (pace: Pace, { settings, figures }: Seen, isTimeToRecover: boolean): Pace => {
  const rate = errorRate(figures);
  if (figures.calls < ENOUGH) return pace;
  if (rate > TROUBLE) return backedOff(pace, settings, rate);
  return rate < CALM && isTimeToRecover ? recovered(pace, settings) : pace;
};

const areRetriesSame = (a: Pace, b: Pace): boolean =>
  a.retries === b.retries && a.budgetPercent === b.budgetPercent && a.backoffMs === b.backoffMs;

/**
 * The state that follows on `before`, or `before` itself where nothing moves.
 * @param figures of attempts at the cluster within the window.
 */
export const nextState = (
  before: AdaptiveState | undefined,
  settings: AdaptiveSettings,
  figures: CallFigures,
  { nowMs, pauses }: { readonly nowMs: number; readonly pauses: Pauses },
): AdaptiveState => {
  if (before === undefined) return { pace: startingPace(settings), limitAtMs: nowMs, retriesAtMs: nowMs };
  const since = (atMs: number): number => Math.abs(nowMs - atMs);
  const bounded = paceWithin(settings, before.pace);
  const limited = since(before.limitAtMs) < pauses.moveMs ? bounded : withLimit(bounded, settings, figures);
  const waitedMs = since(before.retriesAtMs);
  const pace = paceWithin(
    settings,
    waitedMs < pauses.moveMs
      ? limited
      : withRetries(limited, { settings, figures }, waitedMs >= pauses.recoveryMs),
  );
  const isLimitSame = pace.timeoutMs === before.pace.timeoutMs;
  const isRestSame = areRetriesSame(pace, before.pace);
  if (isLimitSame && isRestSame) return before;
  return {
    pace,
    limitAtMs: isLimitSame ? before.limitAtMs : nowMs,
    retriesAtMs: isRestSame ? before.retriesAtMs : nowMs,
  };
};
