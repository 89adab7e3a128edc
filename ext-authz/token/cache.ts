// The port of the token cache. A shared cache behind it must encrypt what it stores (the key as associated data);
// in the process's own memory the token is in clear, as it is on the wire a moment later.

import type { Secret } from '#core/secret.ts';

export type CachedToken = {
  readonly token: Secret;
  /** Seconds since the epoch, as the next. */
  readonly expiresAt: number;
  readonly notedAt: number;
};

/** Where a token was found: in the process's own memory, or in what processes share. */
export type CacheTier = 'memory' | 'shared';

export type FoundToken = CachedToken & { readonly tier: CacheTier };

export type TokenCache = {
  /** The entry, also one that is about to expire: the broker judges times. */
  find(key: string): Promise<FoundToken | undefined>;
  /**
   * The entry as other processes have it by now, which is then also what `find` has: asked before an exchange and while
   * another process makes one, because what lies in this process's own memory may be the token that is being replaced.
   */
  findNewest(key: string): Promise<FoundToken | undefined>;
  /** @param entry.owner every entry of an owner goes in one purge. */
  store(key: string, entry: CachedToken & { readonly owner: string }): Promise<void>;
  remove(key: string): Promise<void>;
  purge(owner: string): Promise<void>;
};
