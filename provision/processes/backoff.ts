// How long a program that keeps ending waits before its next start.

const FIRST_MS = 250;
const LONGEST_MS = 10_000;

/** A program that ran this long starts over with the shortest wait. */
const HEALTHY_MS = 30_000;

/**
 * The next wait in milliseconds.
 * @param previousMs the wait before the run that just ended; 0 if it was the first
 * @param ranMs how long it ran
 */
export const nextWait = (previousMs: number, ranMs: number): number =>
  ranMs >= HEALTHY_MS || previousMs === 0 ? FIRST_MS : Math.min(previousMs * 2, LONGEST_MS);
