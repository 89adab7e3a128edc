// Who sees an exchange: the audit, before its token is used, and whoever collects spans.

import type { Result } from '#core/result.ts';
import type { ExchangeJob } from '#ext-authz/token/exchange-job.ts';
import { type ExchangeResult, exchangeEvent } from '#ext-authz/token/exchange-record.ts';
import type { RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import type { AuditChain } from '#runtime/audit/chain-writer.ts';
import type { Tracing } from '#runtime/tracing/tracing.ts';

type Outcome = Result<unknown, RememberedRefusal>;

export type ExchangeWitness = {
  /** True once it is on record. A token whose exchange is not must not be used. */
  record(job: ExchangeJob, result: ExchangeResult): Promise<boolean>;
  /** Begins the span; what is returned ends it, with undefined where the exchange broke. */
  watch(job: ExchangeJob): (outcome: Outcome | undefined) => void;
};

export type WitnessParts = {
  readonly chain: Pick<AuditChain, 'append'>;
  readonly tracing: Tracing;
  readonly nowMs: () => number;
};

const factsOf = ({ place, plan }: ExchangeJob) => ({
  'mcpgw.tenant': String(place['tenant']),
  ...(place['server'] === undefined ? {} : { 'mcpgw.server': String(place['server']) }),
  'mcpgw.token.mode': plan.kind,
  'server.address': new URL(plan.tokenEndpoint).hostname,
});

const statusOf = (outcome: Outcome): { readonly 'http.response.status_code'?: number } => {
  // A token is believed with status 200 alone (provider-answer.ts).
  const status = outcome.ok ? 200 : outcome.error.logFacts['status'];
  return typeof status === 'number' ? { 'http.response.status_code': status } : {};
};

export const createExchangeWitness = ({ chain, tracing, nowMs }: WitnessParts): ExchangeWitness => ({
  record: async (job, result) => {
    try {
      await chain.append(exchangeEvent(job, result, new Date(nowMs()).toISOString()));
      return true;
    } catch {
      // Why is in `/readyz`, in metrics and in every refusal that follows (runtime/audit/chain-writer.ts).
      return false;
    }
  },
  watch: (job) => {
    const traceparent = job.cause?.traceparent;
    const end = tracing.begin('token exchange', { traceparent, facts: factsOf(job) });
    return (outcome) => {
      if (outcome === undefined) return end({ facts: {}, failure: 'internal_error' });
      const reason = outcome.ok ? 'ok' : outcome.error.refusal.reason;
      const facts = { 'mcpgw.outcome': reason, ...statusOf(outcome) };
      return end(outcome.ok ? { facts } : { facts, failure: reason });
    };
  },
});
