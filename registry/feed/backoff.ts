// How long to wait before dialling again: doubling from a tenth of a second to three, with jitter so that a
// restarted registry is not met by everyone at once.

const FIRST_MS = 100;
const LONGEST_MS = 3_000;

/**
 * @param attempt failed attempts in a row, from 0.
 * @param random from 0 up to 1.
 * @returns milliseconds: between half of the step and the whole of it.
 */
export const backoffMs = (attempt: number, random: number): number => {
  const step = Math.min(FIRST_MS * 2 ** Math.min(attempt, 16), LONGEST_MS);
  return step / 2 + (step / 2) * random;
};
