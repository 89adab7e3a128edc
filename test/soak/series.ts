// Whether a figure grows, told from its samples over time. Pure. The slope is Theil and Sen's, the median of the slopes
// between all pairs of samples: outliers, which collections of garbage and bursts are, do not move it. Its error is the
// interval that holds the true slope with 95 % confidence (P. K. Sen, JASA 63, 1968, from the distribution of Kendall's tau).

export type Sample = { readonly atSeconds: number; readonly value: number };

export type Slope = {
  /** A second. */
  readonly slope: number;
  readonly low: number;
  readonly high: number;
};

/** Two-sided, of the normal distribution. */
const Z_95 = 1.96;

/** Fewer tell nothing. */
export const MIN_SAMPLES = 8;

const medianOf = (sorted: readonly number[]): number => {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
};

const slopesOf = (samples: readonly Sample[]): readonly number[] => {
  const slopes: number[] = [];
  for (const [index, earlier] of samples.entries())
    for (const later of samples.slice(index + 1))
      if (later.atSeconds > earlier.atSeconds)
        slopes.push((later.value - earlier.value) / (later.atSeconds - earlier.atSeconds));
  return slopes.sort((one, other) => one - other);
};

/** The slope of samples in the order of their times; undefined where there are too few. */
export const slopeOf = (samples: readonly Sample[]): Slope | undefined => {
  const count = samples.length;
  if (count < MIN_SAMPLES) return undefined;
  const slopes = slopesOf(samples);
  const spread = Z_95 * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const at = (rank: number): number =>
    slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? 0;
  return {
    slope: medianOf(slopes),
    low: at((slopes.length - spread) / 2 - 1),
    high: at((slopes.length + spread) / 2),
  };
};

/** What growth is let pass: of a figure that is large a share, of one that is small so much. */
export type Allowance = { readonly share: number; readonly least: number };

export type Verdict = Slope & {
  /** Over the samples that were judged. */
  readonly median: number;
  /** What it has surely grown by while it was looked at, at the lower end of the error. */
  readonly sureGrowth: number;
  readonly allowed: number;
  readonly grows: boolean;
};

/** Caches fill and code is compiled at first: that third is not judged. */
const FIRST_PART = 1 / 3;

/**
 * Judges the last two thirds of a run. It grows where even the lower end of the slope's error adds up to more than is
 * allowed, so that neither noise nor one step makes a fault, and a leak of a size that counts always does.
 */
export const judgeGrowth = (samples: readonly Sample[], allowance: Allowance): Verdict | undefined => {
  const judged = samples.slice(Math.floor(samples.length * FIRST_PART));
  const slope = slopeOf(judged);
  const [first, last] = [judged[0], judged.at(-1)];
  if (slope === undefined || first === undefined || last === undefined) return undefined;
  const median = medianOf(judged.map(({ value }) => value).sort((one, other) => one - other));
  const sureGrowth = Math.max(0, slope.low) * (last.atSeconds - first.atSeconds);
  const allowed = Math.max(allowance.least, allowance.share * median);
  return { ...slope, median, sureGrowth, allowed, grows: sureGrowth > allowed };
};
