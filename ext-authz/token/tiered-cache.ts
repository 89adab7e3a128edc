// The token cache of several processes: each has copies in its own memory over what all of them share. A copy is trusted for
// a while, then looked after; where nothing can be learnt it is used on, because calls have to go on.

import type { FoundToken, TokenCache } from '#ext-authz/token/cache.ts';
import type { LocalToken, LocalTokens } from '#ext-authz/token/local-tokens.ts';
import { createOwedPurges, type OwedPurges } from '#ext-authz/token/owed-purges.ts';
import { isFromBefore } from '#ext-authz/token/purge-marks.ts';
import type { OwnedToken } from '#ext-authz/token/sealed-entry.ts';
import type { SharedFinding, SharedTokens } from '#ext-authz/token/shared-tokens.ts';

/** How long a copy is used without a look at what others have: a purge that a process was not told of reaches it by then. */
export const TRUST_MS = 30_000;

type TieredParts = {
  readonly local: LocalTokens;
  readonly shared: SharedTokens;
  /** ms since the epoch. */
  readonly nowMs: () => number;
};

class TieredCache {
  readonly #local: LocalTokens;
  readonly #shared: SharedTokens;
  readonly #nowMs: () => number;
  readonly #owed: OwedPurges;

  constructor({ local, shared, nowMs }: TieredParts) {
    this.#local = local;
    this.#shared = shared;
    this.#nowMs = nowMs;
    this.#owed = createOwedPurges(shared.purge);
  }

  async find(key: string): Promise<FoundToken | undefined> {
    const copy = this.#local.find(key);
    if (copy === undefined) return this.findNewest(key);
    const now = this.#nowMs();
    // A clock that was set back makes a copy one from the future, which nobody has looked after.
    const age = now - copy.seenAtMs;
    if (age >= 0 && age < TRUST_MS) return { ...copy, tier: 'memory' };
    // The call that finds it old looks, and those beside it go on.
    this.#local.keep(key, { ...copy, seenAtMs: now });
    return this.#lookAfter(key, copy);
  }

  async findNewest(key: string): Promise<FoundToken | undefined> {
    const found = await this.#shared.find(key);
    if (found.ok) this.#owed.settle();
    return this.#settle(key, found.ok ? found.value : undefined);
  }

  async store(key: string, token: OwnedToken): Promise<void> {
    if (!this.#keep(key, token)) return;
    const stored = await this.#shared.store(key, token);
    if (stored === 'purged') this.#local.remove(key);
    if (stored !== 'unavailable') this.#owed.settle();
  }

  async remove(key: string): Promise<void> {
    this.#local.remove(key);
    await this.#shared.remove(key);
  }

  async purge(owner: string): Promise<void> {
    const markMs = this.#nowMs();
    this.#local.purge(owner, markMs);
    const purged = await this.#shared.purge(owner, markMs);
    if (!purged.ok) this.#owed.owe(owner, markMs);
  }

  /** A copy that was trusted long enough, against what others know of it by now. */
  async #lookAfter(key: string, copy: LocalToken): Promise<FoundToken | undefined> {
    const [found, purged] = await Promise.all([this.#shared.find(key), this.#shared.purgedAtMs(copy.owner)]);
    if (found.ok) this.#owed.settle();
    if (purged.ok && isFromBefore(copy.notedAt, purged.value, this.#nowMs()))
      this.#local.purge(copy.owner, purged.value);
    const isLost = found.ok && found.value.kind === 'none' && this.#local.find(key) !== undefined;
    // Lost, not removed: Redis was emptied, or had no room. What each process still has goes back, without an exchange.
    if (isLost) void this.#restore(key, copy);
    return this.#settle(key, found.ok ? found.value : undefined);
  }

  async #restore(key: string, copy: LocalToken): Promise<void> {
    if ((await this.#shared.store(key, copy)) === 'purged') this.#local.remove(key);
  }

  /** What a call gets of what others have and the copy there may be: the newer one. @param finding undefined: nothing was learnt. */
  #settle(key: string, finding: SharedFinding | undefined): FoundToken | undefined {
    const copy = this.#local.find(key);
    if (finding?.kind === 'removed' && copy !== undefined && copy.notedAt * 1_000 <= finding.removedAtMs) {
      this.#local.remove(key);
      return undefined;
    }
    const isNewer = finding?.kind === 'token' && finding.token.notedAt > (copy?.notedAt ?? 0);
    if (isNewer && this.#keep(key, finding.token)) return { ...finding.token, tier: 'shared' };
    return copy === undefined ? undefined : { ...copy, tier: 'memory' };
  }

  #keep(key: string, token: OwnedToken): boolean {
    const { token: secret, expiresAt, notedAt, owner } = token;
    return this.#local.keep(key, { token: secret, expiresAt, notedAt, owner, seenAtMs: this.#nowMs() });
  }
}

/** An empty cache over what is shared. */
export const createTieredCache = (parts: TieredParts): TokenCache => {
  const cache = new TieredCache(parts);
  return {
    find: (key) => cache.find(key),
    findNewest: (key) => cache.findNewest(key),
    store: (key, token) => cache.store(key, token),
    remove: (key) => cache.remove(key),
    purge: (owner) => cache.purge(owner),
  };
};
