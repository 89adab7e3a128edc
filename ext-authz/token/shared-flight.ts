// One exchange of a key at a time among all processes that share state: who holds the lease asks the provider, the others
// wait for what comes of it. Without shared state every process asks for itself, since calls have to go on.

import { randomUUID } from 'node:crypto';
import { err, ok } from '#core/result.ts';
import type { CachedToken, TokenCache } from '#ext-authz/token/cache.ts';
import type { CacheKeys } from '#ext-authz/token/cache-key.ts';
import type { ExchangeOutcome } from '#ext-authz/token/exchange.ts';
import type { RefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import type { SharedRefusals } from '#ext-authz/token/shared-refusals.ts';
import type { TokenMetrics } from '#ext-authz/token/token-metrics.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

/**
 * Longer than an exchange can take, or it would be made twice at once: its turn at the gate, which is given up with the
 * last call that waits for it (CHECK_DEADLINE_MS in main.ts), and the provider's time (EXCHANGE_TIMEOUT_MS). It is given
 * back when the outcome is stored; its length counts only where a process dies in between.
 */
export const LEASE_MS = 9_000;

/** Between two looks at what another process does, milliseconds: an exchange takes a fifth of a second. */
const FIRST_LOOK_MS = 20;
const LOOKS_GROW_BY = 1.5;
const MAX_LOOK_MS = 200;

/** A lease that lasts longer than two holders could is one that nobody will give back. */
const MAX_WAIT_MS = 2 * LEASE_MS;

/** Between two attempts to give back a lease that may be ours, milliseconds. */
const DOUBT_MS = 250;

export type SharedFlightParts = {
  readonly shared: SharedState;
  readonly cache: TokenCache;
  readonly refusals: RefusalMemory;
  readonly sharedRefusals: SharedRefusals;
  readonly metrics: TokenMetrics;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
};

export type Flight = {
  readonly keys: CacheKeys;
  nowSeconds(): number;
  /** Whether a token that another process stored will do. */
  isGood(token: CachedToken): boolean;
  /** Asks the provider, and stores what came of it. */
  exchange(): Promise<ExchangeOutcome>;
};

/** `found`: another process had asked. */
export type Landing = { readonly by: 'exchange' | 'found'; readonly outcome: ExchangeOutcome };

export type SharedFlights = {
  /** @throws what the exchange throws; the lease is given back even then. */
  fly(flight: Flight): Promise<Landing>;
  /** Ends when no exchange is under way: a lease that is left behind keeps the others waiting. */
  drain(): Promise<void>;
};

/** What ends a wait for another process: its token, the lease, or that nothing can be learnt from it. */
type WaitEnd = 'token' | 'turn' | 'alone';

type Turn = { readonly end: WaitEnd; land(flight: Flight): Promise<Landing> };

class SharedFlightDesk implements SharedFlights {
  readonly #parts: SharedFlightParts;
  readonly #process = randomUUID();
  readonly #held = new Set<Promise<Landing>>();
  #claims = 0;

  constructor(parts: SharedFlightParts) {
    this.#parts = parts;
  }

  async fly(flight: Flight): Promise<Landing> {
    const { monotonicMs, sleep, random, metrics } = this.#parts;
    const startedMs = monotonicMs();
    for (let looks = 0; ; looks += 1) {
      // A first look has been had: it is why this is asked.
      const seen = looks === 0 ? undefined : await this.#adopt(flight);
      const turn = seen ?? (await this.#takeTurn(flight, monotonicMs() - startedMs));
      if (turn !== undefined) {
        if (looks > 0) metrics.waits.observe({ end: turn.end }, (monotonicMs() - startedMs) / 1000);
        return turn.land(flight);
      }
      const lookMs = Math.min(FIRST_LOOK_MS * LOOKS_GROW_BY ** looks, MAX_LOOK_MS);
      await sleep(lookMs * (0.5 + random()));
    }
  }

  async drain(): Promise<void> {
    await Promise.allSettled(this.#held);
  }

  /** What the process that is waited for has stored, if it has. */
  async #adopt(flight: Flight): Promise<Turn | undefined> {
    const newest = await this.#findNewest(flight);
    return newest === undefined ? undefined : { end: 'token', land: async () => newest };
  }

  /** Undefined: another process holds the lease. */
  async #takeTurn({ keys }: Flight, waitedMs: number): Promise<Turn | undefined> {
    // A holder for each claim: one that has lapsed must not give back the next.
    this.#claims += 1;
    const holder = `${this.#process}/${this.#claims}`;
    const lease = `lease:${keys.caller}`;
    const { shared } = this.#parts;
    const claimed = await shared.claim(lease, { holder, lifetimeMs: LEASE_MS });
    if (claimed.ok && claimed.value) {
      return { end: 'turn', land: (flight) => this.#hold(flight, () => shared.release(lease, holder)) };
    }
    if (claimed.ok && waitedMs < MAX_WAIT_MS) return undefined;
    const isInDoubt = !claimed.ok;
    return {
      end: 'alone',
      land: async ({ exchange }) => {
        try {
          return { by: 'exchange', outcome: await exchange() };
        } finally {
          if (isInDoubt) void this.#giveBackInDoubt(lease, holder);
        }
      },
    };
  }

  /** A claim whose answer came too late may have been carried out: nobody would know that the lease is ours. */
  async #giveBackInDoubt(lease: string, holder: string): Promise<void> {
    const { shared, sleep } = this.#parts;
    for (let waitedMs = 0; waitedMs < LEASE_MS; waitedMs += DOUBT_MS) {
      if ((await shared.release(lease, holder)).ok) return;
      await sleep(DOUBT_MS);
    }
  }

  #hold(flight: Flight, release: () => Promise<unknown>): Promise<Landing> {
    const held = this.#landHolding(flight, release);
    this.#held.add(held);
    const forget = () => void this.#held.delete(held);
    held.then(forget, forget);
    return held;
  }

  /** The last holder may have given the lease back between our look at the cache and our claim: so we look anew. */
  async #landHolding(flight: Flight, release: () => Promise<unknown>): Promise<Landing> {
    try {
      const known = (await this.#findNewest(flight)) ?? (await this.#findRefusal(flight));
      if (known !== undefined) return known;
      const outcome = await flight.exchange();
      if (!outcome.ok) await this.#shareRefusal(flight, outcome);
      return { by: 'exchange', outcome };
    } finally {
      await release();
    }
  }

  async #findNewest(flight: Flight): Promise<Landing | undefined> {
    const newest = await this.#parts.cache.findNewest(flight.keys.caller);
    return newest !== undefined && flight.isGood(newest) ? { by: 'found', outcome: ok(newest) } : undefined;
  }

  async #findRefusal({ keys, nowSeconds }: Flight): Promise<Landing | undefined> {
    const { refusals, sharedRefusals, cache } = this.#parts;
    const found = await sharedRefusals.find([keys.caller, keys.consent, keys.application], nowSeconds());
    if (found === undefined) return undefined;
    refusals.remember(keys[found.refusal.scope], found);
    // The process that heard it has purged what it had in its own memory, and so must we.
    if (found.refusal.reason === 'session_revoked') await cache.purge(keys.owner);
    return { by: 'found', outcome: err(found) };
  }

  /** Tells the others what this process remembers itself: some refusals are its own and mean nothing elsewhere. */
  async #shareRefusal(
    { keys, nowSeconds }: Flight,
    { error }: Extract<ExchangeOutcome, { ok: false }>,
  ): Promise<void> {
    const key = keys[error.refusal.scope];
    const now = nowSeconds();
    if (this.#parts.refusals.find([key], now) === error) {
      await this.#parts.sharedRefusals.share(key, error, now);
    }
  }
}

export const createSharedFlights = (parts: SharedFlightParts): SharedFlights => new SharedFlightDesk(parts);
