// One call's need of a token: who asks, what would be exchanged, under which keys, and what time it is for it by now.

import type { Identity } from '#core/identity.ts';
import type { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { type CacheKeys, cacheKeys } from '#ext-authz/token/cache-key.ts';
import type { ExchangeCause, ExchangeJob } from '#ext-authz/token/exchange-job.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';

export type TokenRequest = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly identity: Identity;
  /** The caller's own, verified token. */
  readonly assertion: Secret;
  /** The request it is for; absent: an errand nobody called for. */
  readonly cause?: ExchangeCause;
  /** Since the epoch, with its fraction: tokens may live for seconds. */
  readonly nowSeconds: number;
  /** Ends the wait; an exchange under way goes on and fills the cache. */
  readonly signal: AbortSignal;
};

/** An errand is for no server's sake, unless it is a call's. */
export type ErrandRequest = Omit<TokenRequest, 'server'> & { readonly server?: McpServer };

export type TokenCall = {
  readonly request: ErrandRequest;
  readonly plan: ExchangePlan;
  readonly keys: CacheKeys;
  /** The time of the request, and what has gone by since: waiting for another process may take seconds. */
  nowSeconds(): number;
};

/** @param monotonicMs a clock that is never set, so that one that is set meanwhile does not move the call's. */
export const tokenCall = (
  plan: ExchangePlan,
  request: ErrandRequest,
  monotonicMs: () => number,
): TokenCall => {
  const { tenant, identity, assertion, nowSeconds } = request;
  const startedMs = monotonicMs();
  return {
    request,
    plan,
    keys: cacheKeys({ tenantId: tenant.id, identity, assertion, plan }),
    nowSeconds: () => nowSeconds + (monotonicMs() - startedMs) / 1000,
  };
};

/** The exchange of a call, begun now. @param abandoned aborted when nobody waits for the token any more. */
export const jobOf = (
  { request, plan, keys, nowSeconds }: TokenCall,
  abandoned: AbortSignal,
): ExchangeJob => ({
  tenantId: request.tenant.id,
  plan,
  keys,
  assertion: request.assertion,
  abandoned,
  // Providers count in whole seconds: a fraction more would be a fraction of a second in which the token has ended.
  nowSeconds: Math.floor(nowSeconds()),
  assertionExpiresAt: request.identity.expiresAt,
  place: {
    tenant: request.tenant.id,
    ...(request.server === undefined ? {} : { server: request.server.id }),
    issuer: request.identity.issuerId,
  },
  principal: request.identity.principal,
  ...(request.cause === undefined ? {} : { cause: request.cause }),
});
