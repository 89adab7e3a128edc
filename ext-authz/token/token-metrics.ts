// What the broker counts. Labels: modes of the plan, reasons of core/reason.ts, and the closed list below.

import type { Counter, Histogram, Metrics } from '#runtime/metrics.ts';

/** `stale`: a token within a minute of its end, used because no fresh one could be had. `refused`: a remembered refusal. */
export type CacheOutcome = 'hit' | 'stale' | 'refused' | 'miss';

export type TokenMetrics = {
  readonly exchanges: Counter<'mode' | 'outcome'>;
  readonly lookups: Counter<'outcome'>;
  readonly duration: Histogram<'mode'>;
};

export const createTokenMetrics = (metrics: Metrics): TokenMetrics => ({
  exchanges: metrics.counter('token_exchanges_total', 'Token exchanges by outcome', ['mode', 'outcome']),
  lookups: metrics.counter('token_cache_lookups_total', 'What the token cache had', ['outcome']),
  duration: metrics.duration('token_exchange_seconds', 'Time a token exchange took', ['mode']),
});
