// The broker of one decision process as ext-authz starts it, over the shared state that an environment names. Nothing of it
// is played but the audit, which is not kept.

import type { RunningBroker } from '#ext-authz/token/broker.ts';
import { startTokenBroker } from '#ext-authz/token/start-broker.ts';
import { readConfig } from '#runtime/config.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { openSharedState, SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';
import { NO_TRACING } from '#runtime/tracing/tracing.ts';

export type SharingBroker = {
  readonly broker: RunningBroker;
  readonly metrics: Metrics;
  stop(): Promise<void>;
};

/** The names of keys are read from the process's own environment (TOKEN_CACHE_KEY_FILE). */
export const startSharingBroker = async (
  secretsDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SharingBroker> => {
  const metrics = createMetrics('test');
  const tools = { logger: createLogger('test', 'silent'), metrics };
  const shared = await openSharedState(readConfig(SHARED_STATE_VARIABLES, environment), {
    ...tools,
    nowMs: () => performance.now(),
    random: Math.random,
  });
  const { broker } = startTokenBroker({
    ...tools,
    shared,
    secretsDirectory,
    egress: createEgressGuard({ allowPrivate: true, allowedHosts: [] }),
    chain: { append: async () => {}, fault: () => undefined, stop: async () => {} },
    tracing: NO_TRACING,
  });
  return {
    broker,
    metrics,
    stop: async () => {
      await broker.stop();
      await shared.state.stop();
    },
  };
};
