// What keeps a failing or slow replica from taking the rest down with it: it is left out for a while, and no server
// takes more connections and calls than its share.

import type { RetryBudget } from '#core/adaptive-settings.ts';
import type { JsonObject } from '#core/json.ts';
import type { CircuitBreakers, OutlierDetection } from '#core/upstream-settings.ts';
import { milliseconds } from '#xds-server/translate/duration.ts';

/** How often Envoy returns replicas to service. Consecutive failures are acted on at once, whatever this is. */
const SWEEP_INTERVAL = '1s';

/** Longest time out of service, whatever happened before. */
const MAX_EJECTION_MS = 300_000;

/** A number of failures in a row and whether to act on it. */
const after = (failures: number): { readonly failures: number; readonly enforcing: number } => ({
  failures: Math.max(1, failures),
  enforcing: failures === 0 ? 0 : 100,
});

/**
 * The cluster's `outlier_detection`. Answers of the server and failures to reach it are counted apart. It acts on
 * answers late and never on more than half of the replicas: a caller who can make a tool fail must not be able to take
 * the server from all others.
 */
export const buildOutlierDetection = ({
  consecutive5xx = 10,
  consecutiveFailures = 5,
  ejectionMs = 30_000,
  maxEjectionPercent = 50,
}: OutlierDetection = {}): JsonObject => {
  const answers = after(consecutive5xx);
  const gateway = after(consecutiveFailures);
  return {
    consecutive_5xx: answers.failures,
    enforcing_consecutive_5xx: answers.enforcing,
    consecutive_gateway_failure: gateway.failures,
    enforcing_consecutive_gateway_failure: gateway.enforcing,
    split_external_local_origin_errors: true,
    consecutive_local_origin_failure: gateway.failures,
    enforcing_consecutive_local_origin_failure: gateway.enforcing,
    // Rates against the other replicas: one with the hard calls would be blamed for them.
    enforcing_success_rate: 0,
    enforcing_local_origin_success_rate: 0,
    interval: SWEEP_INTERVAL,
    base_ejection_time: milliseconds(ejectionMs),
    max_ejection_time: milliseconds(Math.max(ejectionMs, MAX_EJECTION_MS)),
    max_ejection_percent: maxEjectionPercent,
  };
};

/** Retries at once; they are of calls that cannot have run. */
const MAX_RETRIES = 64;

/** What a budget never falls below, or a server with a few calls in flight would have no retry at all. */
const MIN_RETRIES = 3;

const retryBudget = (percent: number): JsonObject => ({
  retry_budget: { budget_percent: { value: percent }, min_retry_concurrency: MIN_RETRIES },
});

/**
 * The cluster's `circuit_breakers`. A live stream is a request for as long as it lives, so these are not per second.
 * @param budget shares that retries may be of calls in flight: the large one holds for calls of default priority, the
 * small one for those of high priority, so that routes choose between them (translate/retries.ts) and the cluster, with
 * all it knows of its replicas, stays as it is. Envoy counts each priority for itself.
 */
export const buildCircuitBreakers = (
  { maxConnections = 4096, maxPendingRequests = 1024, maxRequests = 4096 }: CircuitBreakers = {},
  budget?: RetryBudget,
): JsonObject => {
  const limits: JsonObject = {
    max_connections: maxConnections,
    max_pending_requests: maxPendingRequests,
    max_requests: maxRequests,
    max_retries: MAX_RETRIES,
    // Headroom as gauges: cluster.….circuit_breakers.default.remaining_rq and so on.
    track_remaining: true,
  };
  if (budget === undefined) return { thresholds: [limits] };
  return {
    thresholds: [
      { ...limits, ...retryBudget(budget.max) },
      { priority: 'HIGH', ...limits, ...retryBudget(budget.min) },
    ],
  };
};
