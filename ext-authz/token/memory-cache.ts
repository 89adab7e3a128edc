// The token cache of a deployment that is one process: its own memory and nothing behind it.

import type { TokenCache } from '#ext-authz/token/cache.ts';
import { createLocalTokens, type LocalLimits } from '#ext-authz/token/local-tokens.ts';

/** An empty cache. @param nowMs ms since the epoch. */
export const createMemoryCache = (nowMs: () => number = Date.now, limits?: LocalLimits): TokenCache => {
  const tokens = createLocalTokens(nowMs, limits);
  const find: TokenCache['find'] = async (key) => {
    const token = tokens.find(key);
    return token === undefined ? undefined : { ...token, tier: 'memory' };
  };
  return {
    find,
    // Nobody else has it: there is nothing newer.
    findNewest: find,
    store: async (key, entry) => void tokens.keep(key, { ...entry, seenAtMs: nowMs() }),
    remove: async (key) => tokens.remove(key),
    purge: async (owner) => tokens.purge(owner, nowMs()),
  };
};
