// One exchange that is wanted: what for, for whom, and on account of which request.

import type { JsonObject } from '#core/json.ts';
import type { Secret } from '#core/secret.ts';
import type { CacheKeys } from '#ext-authz/token/cache-key.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';

export type ExchangeJob = {
  readonly tenantId: string;
  readonly plan: ExchangePlan;
  readonly keys: CacheKeys;
  readonly assertion: Secret;
  /** Aborted when nobody waits for the token any more: it then gives up its place in the queue. */
  readonly abandoned?: AbortSignal;
  readonly nowSeconds: number;
  /** When the caller's own token ends, seconds since the epoch. */
  readonly assertionExpiresAt: number;
  /** Tenant, server and issuer, for the log. */
  readonly place: JsonObject;
  /** Whose token it is, for the audit. */
  readonly principal: string;
  /** The request it is made for; absent: the gateway's own errand. */
  readonly cause?: ExchangeCause;
};

export type ExchangeCause = {
  readonly requestId: string;
  /** As the client sent it. */
  readonly traceparent?: string;
};
