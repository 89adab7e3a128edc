// The token a call carries upstream: from the cache, by an exchange, or none. It is for the one resource bound to the
// server, and the caller's own token never takes its place.

import { type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { wasSetBack } from '#core/set-back.ts';
import type { CachedToken, CacheTier } from '#ext-authz/token/cache.ts';
import { ownerKey } from '#ext-authz/token/cache-key.ts';
import { type ExchangeOutcome, type ExchangeParts, runExchange } from '#ext-authz/token/exchange.ts';
import { type ExchangePlan, isDelegated } from '#ext-authz/token/exchange-plan.ts';
import { type Freshness, judgeFreshness, shareOfLife } from '#ext-authz/token/freshness.ts';
import { planToken } from '#ext-authz/token/plan.ts';
import { createRenewals, type RenewalParts, type Renewals } from '#ext-authz/token/renewal.ts';
import {
  createSharedFlights,
  type Flight,
  type Landing,
  type SharedFlights,
} from '#ext-authz/token/shared-flight.ts';
import type { SharedRefusals } from '#ext-authz/token/shared-refusals.ts';
import { spreadOf } from '#ext-authz/token/spread.ts';
import { createStaticTokens, type StaticTokens } from '#ext-authz/token/static-token.ts';
import {
  type ErrandRequest,
  jobOf,
  type TokenCall,
  type TokenRequest,
  tokenCall,
} from '#ext-authz/token/token-call.ts';
import { denyFrom } from '#ext-authz/token/token-denial.ts';
import type { CacheOutcome } from '#ext-authz/token/token-metrics.ts';
import type { TokenSource } from '#ext-authz/trail.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { type Abandonment, createSingleflight } from '#runtime/singleflight.ts';

export type BrokerParts = ExchangeParts & {
  /** Where the processes of a deployment meet: leases. */
  readonly shared: SharedState;
  readonly sharedRefusals: SharedRefusals;
  /** Never set, milliseconds. */
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

export type UpstreamToken = {
  /** Null: the server takes none. */
  readonly token: Secret | null;
  readonly source: TokenSource;
  /** The header it is sent in, as it is; absent: `Authorization: Bearer`. */
  readonly header?: string;
};

type HeldToken = UpstreamToken & { readonly token: Secret };

export type TokenBroker = {
  acquire(request: TokenRequest): Promise<Result<UpstreamToken, Deny>>;
  /** Drops every token kept for a caller of a tenant (revocation). */
  purge(tenantId: string, principal: string): Promise<void>;
};

/** Tokens for the gateway's own errands. */
export type ErrandTokens = {
  /** The token of a plan that is no call's, kept and guarded like those of calls. */
  acquireFor(plan: ExchangePlan, request: ErrandRequest): Promise<Result<Secret, Deny>>;
};

export type RunningBroker = TokenBroker &
  ErrandTokens & {
    /** Starts no more renewals, and ends with the exchanges that others wait for. */
    stop(): Promise<void>;
  };

/** How long a renewal waits for its turn: as long as a call would (CHECK_DEADLINE_MS in main.ts), which leases count on. */
const RENEWAL_PATIENCE_MS = 4_500;

class TokenDesk implements RunningBroker {
  readonly #parts: BrokerParts;
  readonly #flights = createSingleflight<Landing>();
  readonly #sharedFlights: SharedFlights;
  readonly #renewals: Renewals;
  readonly #statics: StaticTokens;
  /** Other than that of any other process. */
  readonly #salt: number;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#sharedFlights = createSharedFlights(parts);
    const fly: RenewalParts['fly'] = (call) =>
      this.#fly(call, ['fresh'], AbortSignal.timeout(RENEWAL_PATIENCE_MS));
    this.#renewals = createRenewals({ ...parts, fly, remove: (key) => parts.cache.remove(key) });
    this.#statics = createStaticTokens(parts.secrets);
    this.#salt = parts.random();
  }

  async acquire(request: TokenRequest): Promise<Result<UpstreamToken, Deny>> {
    const plan = planToken(request);
    if (!plan.ok) return plan;
    if (plan.value === null) return ok({ token: null, source: 'none' });
    return plan.value.kind === 'static'
      ? this.#statics.read(plan.value, request)
      : this.#acquireBy(tokenCall(plan.value, request, this.#parts.monotonicMs));
  }

  async acquireFor(plan: ExchangePlan, request: ErrandRequest): Promise<Result<Secret, Deny>> {
    const acquired = await this.#acquireBy(tokenCall(plan, request, this.#parts.monotonicMs));
    return acquired.ok ? ok(acquired.value.token) : acquired;
  }

  purge(tenantId: string, principal: string): Promise<void> {
    return this.#parts.cache.purge(ownerKey(tenantId, principal));
  }

  async stop(): Promise<void> {
    await this.#renewals.stop();
    await this.#sharedFlights.drain();
  }

  async #acquireBy(call: TokenCall): Promise<Result<HeldToken, Deny>> {
    const cached = await this.#parts.cache.find(call.keys.caller);
    const freshness = this.#freshnessOf(cached, call);
    if (cached === undefined || freshness === 'ending' || freshness === 'ended') {
      return this.#replace(cached, call);
    }
    if (freshness === 'due') this.#renewals.start(cached, call);
    this.#count('hit', cached.tier);
    return this.#take(cached, call, 'cache');
  }

  /** What is kept will not do. */
  async #replace(cached: CachedToken | undefined, call: TokenCall): Promise<Result<HeldToken, Deny>> {
    const { keys, request } = call;
    const names = [keys.caller, keys.consent, keys.application];
    const remembered = this.#parts.refusals.find(names, call.nowSeconds());
    if (remembered !== undefined) {
      this.#count('refused');
      return this.#settle(err(remembered), cached, call);
    }
    this.#count('miss');
    const landed = await this.#fly(call, ['fresh', 'due'], request.signal);
    return landed.ok
      ? this.#settle(landed.value.outcome, cached, call)
      : this.#fallBack(cached, call, deny('deadline_exceeded', { log: { waitedFor: 'token' } }));
  }

  /** @param enough what a token that another process stored has to be. */
  #fly(
    call: TokenCall,
    enough: readonly Freshness[],
    signal: AbortSignal,
  ): Promise<Result<Landing, 'aborted'>> {
    const flightOf = (abandonment: Abandonment): Flight => ({
      keys: call.keys,
      nowSeconds: call.nowSeconds,
      isGood: (token) => enough.includes(this.#freshnessOf(token, call)),
      exchange: () => runExchange(this.#parts, jobOf(call, abandonment())),
    });
    return this.#flights.run(
      call.keys.caller,
      (abandonment) => this.#sharedFlights.fly(flightOf(abandonment)),
      signal,
    );
  }

  async #settle(
    outcome: ExchangeOutcome,
    cached: CachedToken | undefined,
    call: TokenCall,
  ): Promise<Result<HeldToken, Deny>> {
    if (outcome.ok) return this.#take(outcome.value, call, 'exchange');
    const refused = denyFrom(outcome.error, call);
    if (outcome.error.refusal.isTransient) return this.#fallBack(cached, call, refused);
    // The provider has changed its mind about this caller: what it said before counts no more.
    await this.#parts.cache.remove(call.keys.caller);
    return err(refused);
  }

  /** No fresh token was to be had: the old one while it lives, if the refusal is of the passing kind. */
  #fallBack(cached: CachedToken | undefined, call: TokenCall, refusal: Deny): Result<HeldToken, Deny> {
    if (cached === undefined || this.#freshnessOf(cached, call) === 'ended') return err(refusal);
    this.#count('stale');
    return this.#take(cached, call, 'cache');
  }

  #take(token: CachedToken, call: TokenCall, source: HeldToken['source']): Result<HeldToken, Deny> {
    this.#parts.metrics.age.observe(shareOfLife(token, call.nowSeconds()));
    return ok({ token: token.token, source });
  }

  #freshnessOf(token: CachedToken | undefined, call: TokenCall): Freshness {
    const nowSeconds = call.nowSeconds();
    if (token === undefined || wasSetBack(token.notedAt, nowSeconds)) return 'ended';
    const callerEndsAt = isDelegated(call.plan) ? call.request.identity.expiresAt : undefined;
    const spread = spreadOf(call.keys.caller, this.#salt);
    return judgeFreshness(token, { nowSeconds, callerEndsAt, spread });
  }

  #count(outcome: CacheOutcome, tier: CacheTier | 'none' = 'none'): void {
    this.#parts.metrics.lookups.inc({ outcome, tier });
  }
}

/** The broker of one process. */
export const createTokenBroker = (parts: BrokerParts): RunningBroker => new TokenDesk(parts);
