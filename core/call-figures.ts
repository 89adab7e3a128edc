// What was counted of calls: how many, how many failed, how long they took. Figures of several places and times add up,
// so a judgement can be made on all of what a fleet saw.

/**
 * Upper bounds of the latency buckets, milliseconds; the last bucket has none. Steps of about a quarter, so that a
 * percentile is known to within it.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  1, 1.5, 2, 3, 4, 5, 6.5, 8, 10, 13, 16, 20, 25, 32, 40, 50, 65, 80, 100, 130, 160, 200, 250, 320, 400, 500,
  650, 800, 1_000, 1_300, 1_600, 2_000, 2_500, 3_200, 4_000, 5_000, 6_500, 8_000, 10_000, 13_000, 16_000,
  20_000, 25_000, 32_000, 40_000, 50_000, 65_000,
];

export type CallFigures = {
  readonly calls: number;
  /** Calls the upstream failed: no answer, or one with a status of 500 or more. A refusal of ours is no call. */
  readonly errors: number;
  /** Calls by time to the first byte of the answer: one count for each bound, and one for what is beyond the last. */
  readonly latency: readonly number[];
  /** What the response guard saw of them; absent: nothing. */
  readonly answers?: AnswerFigures;
};

/** Answers that were held against the schema of the version that gave them. */
export type AnswerFigures = {
  readonly judged: number;
  /** Of these, those that did not fit, whether or not they were let pass. */
  readonly invalid: number;
};

export const NO_FIGURES: CallFigures = {
  calls: 0,
  errors: 0,
  latency: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
};

/** Figures of one version of a server. */
export type VersionFigures = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly figures: CallFigures;
};

const addAnswers = (a: AnswerFigures | undefined, b: AnswerFigures | undefined): AnswerFigures | undefined =>
  a === undefined || b === undefined
    ? (a ?? b)
    : { judged: a.judged + b.judged, invalid: a.invalid + b.invalid };

export const addFigures = (a: CallFigures, b: CallFigures): CallFigures => {
  const answers = addAnswers(a.answers, b.answers);
  return {
    calls: a.calls + b.calls,
    errors: a.errors + b.errors,
    latency: a.latency.map((count, index) => count + (b.latency[index] ?? 0)),
    ...(answers === undefined ? {} : { answers }),
  };
};

/** Index of the bucket a latency falls into. */
export const latencyBucket = (latencyMs: number): number => {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
};

/** Share of calls that failed, 0 to 1; 0 without calls. */
export const errorRate = ({ calls, errors }: CallFigures): number => (calls === 0 ? 0 : errors / calls);

/** Share of judged answers that did not fit, 0 to 1; 0 where none was judged. */
export const invalidRate = ({ answers }: CallFigures): number =>
  answers === undefined || answers.judged === 0 ? 0 : answers.invalid / answers.judged;

/**
 * Upper bound of the bucket a percentile falls into, milliseconds; infinite beyond the last bound, undefined without calls.
 * @param share 0 to 1: 0.95 for the 95th percentile.
 */
export const latencyPercentile = ({ latency }: CallFigures, share: number): number | undefined => {
  const total = latency.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  const index = latency.findIndex((count) => {
    seen += count;
    return seen >= share * total && seen > 0;
  });
  return LATENCY_BOUNDS_MS[index] ?? Number.POSITIVE_INFINITY;
};

/** Beyond the last bound nothing is known but that it is more. */
const BEYOND_MS = 2 * (LATENCY_BOUNDS_MS.at(-1) ?? 0);

/** Mean of the upper bounds of the buckets calls fell into, milliseconds; undefined where no answer was timed. */
export const latencyMean = ({ latency }: CallFigures): number | undefined => {
  let count = 0;
  let sum = 0;
  latency.forEach((calls, index) => {
    count += calls;
    sum += calls * (LATENCY_BOUNDS_MS[index] ?? BEYOND_MS);
  });
  return count === 0 ? undefined : sum / count;
};
