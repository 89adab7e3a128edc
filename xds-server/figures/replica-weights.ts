// The weights of a cluster's replicas, out of what attempts at each of them took. Pure: the same figures at the same
// times give the same weights.

import { type CallFigures, errorRate, latencyMean } from '#core/call-figures.ts';

export type ReplicaWeights = {
  /** By address; a replica without one is tried like one in the middle. */
  readonly weights: ReadonlyMap<string, number>;
  readonly movedAtMs: number;
};

/** Of the fastest replica. */
const HIGHEST = 128;

/** Of a replica however slow: a few calls in a hundred, by which it is found out that it has recovered. */
const LOWEST = 4;

/** Of a replica nothing is known of any more; reaching it, its weight is given up. */
const UNKNOWN = 64;

/** Fewer attempts within the window say nothing. */
const ENOUGH_ATTEMPTS = 3;

/** Replicas that are apart by less are as good as each other: a network makes as much difference from call to call. */
const NOISE_MS = 2;

/** An attempt that fails costs its caller as much as so many slow ones. */
const ERROR_COST = 10;

/** Share by which a weight must differ before Envoys are told. */
const THRESHOLD = 0.2;

/** Envoys are told no more often than this. */
const PAUSE_MS = 2_000;

/** How fast a replica that is not tried any more is believed to recover, each time it is judged. */
const FORGETTING = 1.3;

/** What a call to it costs; infinite for a replica that answers nothing. */
const costOf = (figures: CallFigures): number => {
  const mean = latencyMean(figures);
  if (mean === undefined) return Number.POSITIVE_INFINITY;
  return (mean + NOISE_MS) * (1 + ERROR_COST * errorRate(figures));
};

const measure = (figures: ReadonlyMap<string, CallFigures>): ReadonlyMap<string, number> => {
  const costs = [...figures]
    .filter(([, { calls }]) => calls >= ENOUGH_ATTEMPTS)
    .map(([address, seen]) => [address, costOf(seen)] as const);
  const lowest = Math.min(...costs.map(([, cost]) => cost));
  const weightOf = (cost: number): number =>
    // Where none answers, none is better than another.
    cost === lowest ? HIGHEST : Math.max(LOWEST, Math.round((HIGHEST * lowest) / cost));
  return new Map(costs.map(([address, cost]) => [address, weightOf(cost)]));
};

/** Without forgetting, a replica that gets too few calls to be measured would stay slow for ever. */
const forgotten = (weight: number): number | undefined => {
  const next = weight > UNKNOWN ? weight / FORGETTING : weight * FORGETTING;
  const isBack = weight === UNKNOWN || weight > UNKNOWN !== next > UNKNOWN;
  // Away from where it was, or rounding would keep a small weight where it is.
  return isBack ? undefined : next > weight ? Math.ceil(next) : Math.floor(next);
};

const fade = (
  before: ReadonlyMap<string, number>,
  measured: ReadonlyMap<string, number>,
): readonly (readonly [string, number])[] =>
  [...before].flatMap(([address, weight]) => {
    if (measured.has(address)) return [];
    const next = forgotten(weight);
    return next === undefined ? [] : [[address, next] as const];
  });

const differs = (before: number, after: number): boolean => Math.abs(after - before) > before * THRESHOLD;

/**
 * The weights that follow on `before`, or `before` itself where nothing has moved far enough to be told.
 * @param figures of attempts at each replica within the window.
 */
export const nextWeights = (
  before: ReplicaWeights,
  figures: ReadonlyMap<string, CallFigures>,
  nowMs: number,
): ReplicaWeights => {
  if (nowMs - before.movedAtMs < PAUSE_MS) return before;
  const measured = measure(figures);
  const weights = new Map([...measured, ...fade(before.weights, measured)]);
  const addresses = new Set([...before.weights.keys(), ...weights.keys()]);
  const moved = [...addresses].some((address) =>
    differs(before.weights.get(address) ?? UNKNOWN, weights.get(address) ?? UNKNOWN),
  );
  // A replica that is forgotten leaves, or those of years would stay.
  return moved || weights.size < before.weights.size ? { weights, movedAtMs: nowMs } : before;
};

export const NO_WEIGHTS: ReplicaWeights = { weights: new Map(), movedAtMs: Number.NEGATIVE_INFINITY };
