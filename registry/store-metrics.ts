// What operators see of the store: how far it is, how writes end, and whether it can still be read.

import { GatewayError } from '#core/gateway-error.ts';
import type { WriteOutcome } from '#registry/api/context.ts';
import type { Store } from '#registry/store/store.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** How often the store is read to learn whether it can be, milliseconds. */
const PROBE_INTERVAL_MS = 2_000;

export type StoreMetrics = {
  onWrite(outcome: WriteOutcome): void;
  /** Sequence of the last commit that was seen. */
  sequence(): number;
  /** False while the store cannot be read. */
  isHealthy(): boolean;
  stop(): void;
};

/** Registers the metrics, reads the store once, and follows it. @throws GatewayError `store_failed`. */
export const startStoreMetrics = async (
  metrics: Metrics,
  store: Store,
  logger: Logger,
): Promise<StoreMetrics> => {
  const writes = metrics.counter('registry_writes_total', 'Writes through the API by how they ended.', [
    'outcome',
  ]);
  const gauge = metrics.gauge('registry_sequence', 'Sequence of the last commit.');
  let sequence = await store.lastSequence();
  let healthy = true;
  const probe = async (): Promise<void> => {
    try {
      sequence = await store.lastSequence();
      healthy = true;
      gauge.set(sequence);
    } catch (thrown) {
      if (healthy) logger.error({ error: GatewayError.from(thrown).message }, 'store cannot be read');
      healthy = false;
    }
  };
  gauge.set(sequence);
  const leave = store.onCommit(() => void probe());
  const timer = setInterval(() => void probe(), PROBE_INTERVAL_MS).unref();
  return {
    onWrite: (outcome) => writes.inc({ outcome }),
    sequence: () => sequence,
    isHealthy: () => healthy,
    stop: () => {
      leave();
      clearInterval(timer);
    },
  };
};
