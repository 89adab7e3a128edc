// What operators see of a feed consumer: whether it is connected, how far it has come, how old its knowledge is.

import type { Metrics } from '#runtime/metrics.ts';

/** How often the age is brought up to date, milliseconds; scrapes are rarer. */
const AGE_INTERVAL_MS = 1_000;

export type ConsumerFacts = {
  readonly connected: boolean;
  readonly sequence: number;
  readonly freshAtMs: number;
  readonly unreadableTenants: number;
};

export type ConsumerMetrics = {
  /** A message that could not be understood. */
  refused(kind: 'change' | 'event' | 'revocation' | 'drift' | 'question' | 'unknown'): void;
  disconnected(): void;
  /** Now, and not within the second: a service that starts with an old copy must not be scraped as one without any. */
  refresh(): void;
  stop(): void;
};

/** Registers the metrics and keeps them current from `facts`. */
export const createConsumerMetrics = (metrics: Metrics, facts: () => ConsumerFacts): ConsumerMetrics => {
  const connected = metrics.gauge('feed_connected', '1 while the registry feed is connected.');
  const sequence = metrics.gauge('snapshot_sequence', 'Sequence of the snapshot being served.');
  const age = metrics.gauge(
    'snapshot_age_seconds',
    'Seconds since the registry last confirmed the snapshot being served.',
  );
  const unreadable = metrics.gauge(
    'feed_unreadable_tenants',
    'Tenants served in an older state because the newest one could not be understood.',
  );
  const refusals = metrics.counter('feed_refused_total', 'Feed messages not understood.', ['kind']);
  const disconnects = metrics.counter('feed_disconnects_total', 'Feed connections that ended or failed.');
  const refresh = (): void => {
    const now = facts();
    connected.set(now.connected ? 1 : 0);
    sequence.set(now.sequence);
    unreadable.set(now.unreadableTenants);
    age.set(now.freshAtMs === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Date.now() - now.freshAtMs) / 1_000);
  };
  refresh();
  const timer = setInterval(refresh, AGE_INTERVAL_MS).unref();
  return {
    refused: (kind) => refusals.inc({ kind }),
    disconnected: () => disconnects.inc(),
    refresh,
    stop: () => clearInterval(timer),
  };
};
