// What the broker counts. Labels: modes of the plan, reasons of core/reason.ts, and the closed list below.

import type { Counter, Histogram, Metrics } from '#runtime/metrics.ts';

/** `stale`: a token within a minute of its end, used because no fresh one could be had. `refused`: a remembered refusal. */
export type CacheOutcome = 'hit' | 'stale' | 'refused' | 'miss';

export type TokenMetrics = {
  readonly exchanges: Counter<'mode' | 'outcome'>;
  readonly lookups: Counter<'outcome' | 'tier'>;
  readonly duration: Histogram<'mode'>;
  /** Time in the queue before it, seconds. */
  readonly queued: Histogram<string>;
  readonly turnedAway: Counter<'reason'>;
  /** Numbers that are read when the metrics are. */
  watchGate(gate: GateNumbers): void;
  /** Waits for an exchange of another process, seconds, by what ended them: `token`, a `turn` to ask, or going on `alone`. */
  readonly waits: Histogram<'end'>;
  readonly renewals: Counter<'outcome'>;
  /** How much of its life a token had behind it when a call took it along. */
  readonly age: Histogram<string>;
};

export type GateNumbers = {
  readonly running: () => number;
  readonly waiting: () => number;
  readonly paused: () => number;
};

export const createTokenMetrics = (metrics: Metrics): TokenMetrics => ({
  exchanges: metrics.counter('token_exchanges_total', 'Token exchanges by outcome', ['mode', 'outcome']),
  lookups: metrics.counter('token_cache_lookups_total', 'What the token cache had, and where a hit was', [
    'outcome',
    'tier',
  ]),
  duration: metrics.duration('token_exchange_seconds', 'Time a token exchange took', ['mode']),
  queued: metrics.duration('token_exchange_queued_seconds', 'Time a token exchange waited for its turn'),
  turnedAway: metrics.counter('token_exchanges_turned_away_total', 'Token exchanges that were not tried', [
    'reason',
  ]),
  watchGate: ({ running, waiting, paused }) => {
    metrics.reading('token_exchanges_running', 'Token exchanges under way', running);
    metrics.reading('token_exchanges_waiting', 'Token exchanges that wait for their turn', waiting);
    metrics.reading('token_exchanges_paused', 'Providers and applications that are not asked', paused);
  },
  waits: metrics.duration('token_wait_seconds', 'Waits for the token exchange of another process', ['end']),
  renewals: metrics.counter('token_renewals_total', 'Token renewals in the background', ['outcome']),
  age: metrics.share(
    'token_age_at_use_ratio',
    'Share of its life that a token had behind it when it was used',
  ),
});
