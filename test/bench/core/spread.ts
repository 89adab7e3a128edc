// Least, middle and greatest of a few figures. Pure.

export type Spread = { readonly min: number; readonly median: number; readonly max: number };

/** @throws if there are none. */
export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  const [min] = sorted;
  const max = sorted.at(-1);
  if (upper === undefined || lower === undefined || min === undefined || max === undefined)
    throw new Error('nothing was measured');
  return { min, median: (lower + upper) / 2, max };
};
