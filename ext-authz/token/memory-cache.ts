// The token cache of one process: bounded by number and by size, least recently used go first.

import { LRUCache } from 'lru-cache';
import type { CachedToken, TokenCache } from '#ext-authz/token/cache.ts';

const MAX_ENTRIES = 20_000;

/** Tokens are 1 to 12 KB; the bound holds for a directory of large ones. */
const MAX_BYTES = 64 * 1024 * 1024;

type Entry = CachedToken & { readonly owner: string };

/** An empty cache. @param maxEntries for tests. */
export const createMemoryCache = (maxEntries: number = MAX_ENTRIES): TokenCache => {
  const keysByOwner = new Map<string, Set<string>>();
  const forget = (key: string, owner: string): void => {
    const keys = keysByOwner.get(owner);
    keys?.delete(key);
    if (keys?.size === 0) keysByOwner.delete(owner);
  };
  const entries = new LRUCache<string, Entry>({
    max: maxEntries,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ token }) => token.byteLength + 1,
    dispose: ({ owner }, key) => forget(key, owner),
  });
  const find = async (key: string) => {
    const entry = entries.get(key);
    return entry === undefined ? undefined : { ...entry, tier: 'memory' as const };
  };
  return {
    find,
    // Nobody else has it: there is nothing newer.
    findNewest: find,
    store: async (key, entry) => {
      entries.set(key, { ...entry, token: entry.token.kept() });
      if (!entries.has(key)) return;
      keysByOwner.set(entry.owner, (keysByOwner.get(entry.owner) ?? new Set()).add(key));
    },
    remove: async (key) => void entries.delete(key),
    purge: async (owner) => {
      for (const key of [...(keysByOwner.get(owner) ?? [])]) entries.delete(key);
    },
  };
};
