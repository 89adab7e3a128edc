// When the tokens of a caller were purged: what was exchanged before is not taken in afterwards. An exchange may be under
// way while its caller is purged, and would bring the old token back.

import { LRUCache } from 'lru-cache';

/** People who are purged within the time an exchange takes; far more than an identity team ends at once. */
const MAX_MARKS = 50_000;

/** A mark that lies further ahead was made by a clock that is wrong by now, and would keep a caller's tokens out till then. */
const TOLERATED_AHEAD_MS = 60_000;

/** Whether a token noted at that time (seconds since the epoch) is from before a purge at `markMs`; 0: there was none. */
export const isFromBefore = (notedAt: number, markMs: number, nowMs: number): boolean =>
  markMs > 0 && notedAt * 1_000 <= markMs && markMs <= nowMs + TOLERATED_AHEAD_MS;

type PurgeMarks = {
  /** Purged at that time, ms since the epoch; an older mark changes nothing. */
  note(owner: string, markMs: number): void;
  isPurged(token: { readonly owner: string; readonly notedAt: number }): boolean;
};

/** @param nowMs ms since the epoch. */
export const createPurgeMarks = (nowMs: () => number): PurgeMarks => {
  const marks = new LRUCache<string, number>({ max: MAX_MARKS });
  return {
    note: (owner, markMs) => void marks.set(owner, Math.max(markMs, marks.get(owner) ?? 0)),
    isPurged: ({ owner, notedAt }) => isFromBefore(notedAt, marks.get(owner) ?? 0, nowMs()),
  };
};
