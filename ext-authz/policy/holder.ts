// The policy that serves. A new bundle is loaded and tested beside it and then takes its place between two calls; a
// bad one is reported and changes nothing.

import { GatewayError } from '#core/gateway-error.ts';
import type { BundleSource } from '#ext-authz/policy/bundle.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import type { PolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import type { Logger } from '#runtime/logger.ts';

/** How often the files are looked at, milliseconds. Asking works on every kind of volume; file events do not. */
const POLL_MS = 2_000;

export type PolicyHolder = {
  /** The engine to judge a call by. A call takes it once, so a swap never splits it between two policies. */
  current(): PolicyEngine;
  /** Looks at the files now. Never throws: a bundle that cannot be loaded is logged and counted. */
  refresh(): Promise<void>;
  /** Why the newest bundle does not serve; undefined if it does. */
  fault(): string | undefined;
  stop(): void;
};

/**
 * Loads the first policy and keeps it current.
 * @throws GatewayError `policy_failed` if the first one cannot be loaded: there is nothing to judge by.
 */
export const createPolicyHolder = async (options: {
  readonly source: BundleSource;
  readonly logger: Logger;
  readonly metrics?: PolicyMetrics;
  readonly pollMs?: number;
}): Promise<PolicyHolder> => {
  const { source, logger, metrics } = options;
  let fingerprint = await source.fingerprint().catch(() => '');
  let engine = await source.load();
  let fault: string | undefined;
  let running: Promise<void> | undefined;
  metrics?.loaded('ok');
  logger.info({ policy: engine.revision }, 'policy loaded');

  const swap = async (): Promise<void> => {
    try {
      const seen = await source.fingerprint();
      if (seen === fingerprint) return;
      // Until it loads, a new bundle is tried every time: what was wrong may be the disk and not the files.
      const next = await source.load();
      logger.info({ policy: next.revision, replaced: engine.revision }, 'policy replaced');
      engine = next;
      fingerprint = seen;
      fault = undefined;
      metrics?.loaded('ok');
    } catch (thrown) {
      const message = GatewayError.from(thrown, 'policy_failed').message;
      if (message === fault) return;
      fault = message;
      metrics?.loaded('failed');
      logger.error({ error: message, policy: engine.revision }, 'policy bundle refused, the old one serves');
    }
  };

  // One look at a time: two loads at once could finish in the wrong order.
  const refresh = (): Promise<void> => {
    running ??= swap().finally(() => {
      running = undefined;
    });
    return running;
  };
  const timer = setInterval(() => void refresh(), options.pollMs ?? POLL_MS);
  timer.unref();
  return {
    current: () => engine,
    refresh,
    fault: () => fault,
    stop: () => clearInterval(timer),
  };
};
