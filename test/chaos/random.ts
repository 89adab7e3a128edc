// Numbers that are drawn alike from the same seed, so that a run can be repeated.

export type Random = {
  /** From 0 up to 1, without 1. */
  next(): number;
  /** One of them. */
  pick<T>(items: readonly T[]): T;
};

/** mulberry32, public domain: 32 bits of state, good enough to shuffle calls. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(next() * items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  };
  return { next, pick };
};
