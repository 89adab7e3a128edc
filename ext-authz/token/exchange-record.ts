// The audit's record of one exchange: who got what at which provider for which server, or why not. Pure. The token has no
// field to be in, and what the provider wrote none but its codes and ids.

import type { AuditEvent } from '#core/audit/subject.ts';
import type { JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import type { ExchangeJob } from '#ext-authz/token/exchange-job.ts';
import type { ExchangeFailure } from '#ext-authz/token/exchanger.ts';

/** How an exchange came out; `lifetimeSeconds` is what the provider gave, the caller's own token may end it sooner. */
export type ExchangeResult =
  | { readonly outcome: 'ok'; readonly lifetimeSeconds: number }
  | { readonly outcome: Reason; readonly failure: ExchangeFailure };

const describeFailure = (result: ExchangeResult): JsonObject => {
  if (result.outcome === 'ok') return { lifetimeSeconds: result.lifetimeSeconds };
  const { failure } = result as Extract<ExchangeResult, { failure: ExchangeFailure }>;
  if (failure.kind !== 'refused') return { provider: failure.kind };
  const { error, codes, traceId, correlationId } = failure;
  return {
    provider: failure.kind,
    error,
    codes,
    ...(traceId === undefined ? {} : { traceId }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
};

/**
 * The event `TokenExchanged`. Only the caller is personal: the application and the scopes are the administrator's words.
 * @param at RFC 3339, UTC
 */
export const exchangeEvent = (job: ExchangeJob, result: ExchangeResult, at: string): AuditEvent => {
  const { plan, place, cause, principal } = job;
  const body = {
    event: 'TokenExchanged',
    ...place,
    ...(cause === undefined ? {} : { requestId: cause.requestId }),
    mode: plan.kind,
    application: plan.application.clientId,
    scopes: plan.scopes,
    ...(plan.resource === undefined ? {} : { resource: plan.resource.name }),
    outcome: result.outcome,
    ...describeFailure(result),
  };
  return { at, kind: 'event', body, about: { principal, fields: {} } };
};
