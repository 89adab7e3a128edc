// How much of a tenant's policy is borne before it is taken out of service: time that it takes is time in which nobody
// else's is asked. Counts by evaluations and not by the clock, so that a rare call weighs as much as a busy hour. Pure.

import type { Asked } from '#ext-authz/policy/tenant-engine.ts';

/** Longest evaluation that is nobody's business, milliseconds, in the thread: a thousand times an ordinary one. */
export const SLOW_MS = 100;

/** Strikes after which a policy is out. */
const LIMIT = 20;

/** One that did not end has cost as much as many that were slow. Two are an accident, three are not. */
const OF_A_LOST_THREAD = 8;

/** A slow one in fifty is borne for ever. */
const REDEEMED_BY_A_QUICK_ONE = 1 / 50;

export type Strikes = {
  /** Counts one question. True, once: that was one too many. */
  take(asked: Asked): boolean;
};

const weightOf = (asked: Asked): number => {
  if (asked.ok) return asked.value.ms > SLOW_MS ? 1 : -REDEEMED_BY_A_QUICK_ONE;
  // That others wait is not its doing, and what it throws it throws at its own calls.
  return ['overdue', 'crashed'].includes(asked.error.kind) ? OF_A_LOST_THREAD : 0;
};

export const createStrikes = (): Strikes => {
  let strikes = 0;
  let isOut = false;
  return {
    take: (asked) => {
      strikes = Math.max(0, strikes + weightOf(asked));
      if (isOut || strikes < LIMIT) return false;
      isOut = true;
      return true;
    },
  };
};
