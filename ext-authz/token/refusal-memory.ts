// Refusals of a provider, remembered for a while so that it is not asked again at once. Bounded; one process only:
// a forgotten refusal costs one question, nothing else.

import { LRUCache } from 'lru-cache';
import type { JsonObject } from '#core/json.ts';
import { wasSetBack } from '#core/set-back.ts';
import type { Refusal } from '#ext-authz/token/errors.ts';

const MAX_ENTRIES = 20_000;

export type RememberedRefusal = {
  readonly refusal: Refusal;
  /** Seconds since the epoch, as the next. */
  readonly until: number;
  readonly notedAt: number;
  /** The provider's ids and codes, for the log. */
  readonly logFacts: JsonObject;
};

export type RefusalMemory = {
  remember(key: string, entry: RememberedRefusal): void;
  /** The first refusal under any of the keys that is still in force. */
  find(keys: readonly string[], nowSeconds: number): RememberedRefusal | undefined;
};

/** Nothing remembered yet. */
export const createRefusalMemory = (maxEntries: number = MAX_ENTRIES): RefusalMemory => {
  const entries = new LRUCache<string, RememberedRefusal>({ max: maxEntries });
  const findOne = (key: string, nowSeconds: number): RememberedRefusal | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > nowSeconds && !wasSetBack(entry.notedAt, nowSeconds)) return entry;
    entries.delete(key);
    return undefined;
  };
  return {
    remember: (key, entry) => void entries.set(key, entry),
    find: (keys, nowSeconds) => {
      for (const key of keys) {
        const entry = findOne(key, nowSeconds);
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
  };
};
