// From when on tokens of a subject are good again: the time of the event, as far as it makes sense. Pure.

import type { JsonObject } from '#core/json.ts';
import type { SecurityEventToken } from '#registry/signals/read-set.ts';

/** Drafts of CAEP had milliseconds; so many seconds are the year 5138. */
const FIRST_MILLISECONDS = 100_000_000_000;

const secondsOf = (value: unknown): number | undefined => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined;
  return value < FIRST_MILLISECONDS ? value : value / 1_000;
};

/**
 * The first second whose tokens are not meant, since the epoch. Times in tokens are whole seconds: of one that was issued in
 * the second of the event nobody can say which was first, and it ends too. An event of the future is one of now.
 */
export const notBeforeOf = (
  { event_timestamp: timestamp }: JsonObject,
  { toe, iat }: Pick<SecurityEventToken, 'toe' | 'iat'>,
  nowMs: number,
): number => {
  const moment = secondsOf(timestamp) ?? toe ?? iat;
  return Math.floor(Math.min(moment, nowMs / 1_000)) + 1;
};
