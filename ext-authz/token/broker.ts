// The token a call carries upstream: from the cache, by an exchange, or none. It is for the one resource bound to the
// server, and the caller's own token never takes its place.

import { type Deny, deny, type PublicFacts } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import { wasSetBack } from '#core/set-back.ts';
import type { Tenant } from '#core/tenant.ts';
import type { CachedToken } from '#ext-authz/token/cache.ts';
import { type CacheKeys, cacheKeys, ownerKey } from '#ext-authz/token/cache-key.ts';
import { type ExchangeOutcome, type ExchangeParts, runExchange } from '#ext-authz/token/exchange.ts';
import { type ExchangePlan, isDelegated } from '#ext-authz/token/exchange-plan.ts';
import { planToken } from '#ext-authz/token/plan.ts';
import type { RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import { createStaticTokens } from '#ext-authz/token/static-token.ts';
import type { CacheOutcome } from '#ext-authz/token/token-metrics.ts';
import type { TokenSource } from '#ext-authz/trail.ts';
import { createSingleflight } from '#runtime/singleflight.ts';

/** A token that ends sooner is replaced if it can be: the call it goes with may take a while to arrive. */
const FRESH_SECONDS = 60;

export type TokenRequest = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly identity: Identity;
  /** The caller's own, verified token. */
  readonly assertion: Secret;
  readonly nowSeconds: number;
  /** Ends the wait; an exchange under way goes on and fills the cache. */
  readonly signal: AbortSignal;
};

/** An errand is for no server's sake, unless it is a call's. */
export type ErrandRequest = Omit<TokenRequest, 'server'> & { readonly server?: McpServer };

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

type Call = { readonly request: ErrandRequest; readonly plan: ExchangePlan; readonly keys: CacheKeys };

/** What is left of a cached token, seconds. A delegated one is never used past the caller's own. */
const secondsLeft = (cached: CachedToken, { request, plan }: Call): number => {
  const end = isDelegated(plan) ? Math.min(cached.expiresAt, request.identity.expiresAt) : cached.expiresAt;
  return end - request.nowSeconds;
};

/** A claims challenge goes to callers who said they can answer one, and about themselves only. */
const claimsFacts = ({ refusal }: RememberedRefusal, { request, plan }: Call): PublicFacts =>
  refusal.claims !== undefined && isDelegated(plan) && request.identity.claimsChallenges
    ? { claims: Buffer.from(refusal.claims).toString('base64') }
    : {};

const denyFrom = (remembered: RememberedRefusal, call: Call): Deny => {
  const { refusal, until, logFacts } = remembered;
  const waitSeconds = Math.max(1, Math.ceil(until - call.request.nowSeconds));
  return deny(refusal.reason, {
    public: {
      ...claimsFacts(remembered, call),
      ...(refusal.isTransient ? { retryAfterSeconds: waitSeconds } : {}),
    },
    log: logFacts,
  });
};

const exchangeJob = ({ request, plan, keys }: Call, abandoned: AbortSignal) => ({
  tenantId: request.tenant.id,
  plan,
  keys,
  assertion: request.assertion,
  abandoned,
  nowSeconds: request.nowSeconds,
  assertionExpiresAt: request.identity.expiresAt,
  place: {
    tenant: request.tenant.id,
    ...(request.server === undefined ? {} : { server: request.server.id }),
    issuer: request.identity.issuerId,
  },
});

const callOf = (plan: ExchangePlan, request: ErrandRequest): Call => {
  const { tenant, identity, assertion } = request;
  return { request, plan, keys: cacheKeys({ tenantId: tenant.id, identity, assertion, plan }) };
};

/** The broker of one process. */
export const createTokenBroker = (parts: ExchangeParts): TokenBroker & ErrandTokens => {
  const flights = createSingleflight<ExchangeOutcome>();
  const statics = createStaticTokens(parts.secrets);
  const count = (outcome: CacheOutcome): void => parts.metrics.lookups.inc({ outcome });

  /** No fresh token was to be had: the old one while it lives, if the refusal is of the passing kind. */
  const fallBack = (cached: CachedToken | undefined, call: Call, refusal: Deny): Result<HeldToken, Deny> => {
    if (cached === undefined || secondsLeft(cached, call) <= 0) return err(refusal);
    count('stale');
    return ok({ token: cached.token, source: 'cache' });
  };

  const settle = async (
    outcome: Result<ExchangeOutcome, 'aborted'>,
    cached: CachedToken | undefined,
    call: Call,
  ): Promise<Result<HeldToken, Deny>> => {
    if (!outcome.ok)
      return fallBack(cached, call, deny('deadline_exceeded', { log: { waitedFor: 'token' } }));
    if (outcome.value.ok) return ok({ token: outcome.value.value.token, source: 'exchange' });
    const refused = denyFrom(outcome.value.error, call);
    if (outcome.value.error.refusal.isTransient) return fallBack(cached, call, refused);
    // The provider has changed its mind about this caller: what it said before counts no more.
    await parts.cache.remove(call.keys.caller);
    return err(refused);
  };

  const acquireBy = async (call: Call): Promise<Result<HeldToken, Deny>> => {
    const { keys, request } = call;
    const found = await parts.cache.find(keys.caller);
    const cached = found === undefined || wasSetBack(found.notedAt, request.nowSeconds) ? undefined : found;
    if (cached !== undefined && secondsLeft(cached, call) > FRESH_SECONDS) {
      count('hit');
      return ok({ token: cached.token, source: 'cache' });
    }
    const remembered = parts.refusals.find([keys.caller, keys.consent, keys.application], request.nowSeconds);
    if (remembered !== undefined) {
      count('refused');
      return settle(ok(err(remembered)), cached, call);
    }
    count('miss');
    const outcome = await flights.run(
      keys.caller,
      (abandoned) => runExchange(parts, exchangeJob(call, abandoned)),
      request.signal,
    );
    return settle(outcome, cached, call);
  };

  return {
    acquire: async (request) => {
      const plan = planToken(request);
      if (!plan.ok) return plan;
      if (plan.value === null) return ok({ token: null, source: 'none' });
      return plan.value.kind === 'static'
        ? statics.read(plan.value, request)
        : acquireBy(callOf(plan.value, request));
    },
    acquireFor: async (plan, request) => {
      const acquired = await acquireBy(callOf(plan, request));
      return acquired.ok ? ok(acquired.value.token) : acquired;
    },
    purge: (tenantId, principal) => parts.cache.purge(ownerKey(tenantId, principal)),
  };
};
