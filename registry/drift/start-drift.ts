// The registry's part in tools that drift, at work: it takes reports, looks after every commit whether what was seen still
// concerns anybody, and counts.

import { GatewayError } from '#core/gateway-error.ts';
import { createDriftRecorder, type DriftRecorder } from '#registry/drift/record-drift.ts';
import type { Store } from '#registry/store/store.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** After the first of several commits, milliseconds: a rollout makes many, and nothing waits for this. */
const SWEEP_AFTER_MS = 1_000;

const createMeasures = (metrics: Metrics, store: Pick<Store, 'listDriftingServers'>) => {
  const steps = metrics.counter(
    'tool_drift_total',
    'Tools that were seen to be served otherwise than approved, and that were done with it, by this registry.',
    ['what'],
  );
  const drifting = metrics.gauge('drifting_tools', 'Tools that are served otherwise than approved.', [
    'tenant',
    'server',
  ]);
  return {
    stepped: (what: 'begun' | 'ended', count: number): void => steps.inc({ what }, count),
    /** Counted in the store: another registry may have taken the report. */
    refresh: async (): Promise<void> => {
      const servers = await store.listDriftingServers();
      drifting.reset();
      for (const { tenantId: tenant, serverId: server, tools } of servers)
        drifting.set({ tenant, server }, tools);
    },
  };
};

/** @returns what takes reports. */
export const startDrift = (
  parts: { readonly store: Store; readonly logger: Logger; readonly metrics: Metrics },
  lifecycle: Lifecycle,
): DriftRecorder['record'] => {
  const { store, logger, metrics } = parts;
  const measures = createMeasures(metrics, store);
  const recorder = createDriftRecorder({
    store,
    nowMs: Date.now,
    onStep: ({ begun, ended }) => {
      measures.stepped('begun', begun.length);
      measures.stepped('ended', ended.length);
      if (begun.length + ended.length > 0)
        logger.info({ begun: begun.length, ended: ended.length }, 'drift of tools recorded');
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    timer = undefined;
    try {
      await recorder.sweep();
      await measures.refresh();
    } catch (thrown) {
      logger.warn({ error: GatewayError.from(thrown).message }, 'drifting tools not looked after');
    }
  };
  const soon = (): void => {
    timer ??= setTimeout(() => void look(), SWEEP_AFTER_MS).unref();
  };
  const leave = store.onCommit(soon);
  soon();
  lifecycle.onStop('drift', () => {
    leave();
    clearTimeout(timer);
  });
  return recorder.record;
};
