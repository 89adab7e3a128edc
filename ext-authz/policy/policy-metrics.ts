// What Prometheus learns of the policy. Labels are closed lists; the policy's own words never become one.

import type { Metrics } from '#runtime/metrics.ts';

export type PolicyMetrics = {
  /** `failed`: the call was refused with policy_failed. */
  evaluated(entrypoint: 'decision' | 'visible', outcome: 'answered' | 'failed', seconds: number): void;
  /** `memory`: the instance had grown too large. `failure`: the last evaluation threw. */
  rebuilt(cause: 'memory' | 'failure'): void;
  memory(bytes: number): void;
  loaded(outcome: 'ok' | 'failed'): void;
};

export const createPolicyMetrics = (metrics: Metrics): PolicyMetrics => {
  const evaluations = metrics.counter('policy_evaluations_total', 'Questions put to the policy.', [
    'entrypoint',
    'outcome',
  ]);
  const duration = metrics.duration('policy_evaluation_seconds', 'Time of one evaluation.', ['entrypoint']);
  const rebuilds = metrics.counter('policy_rebuilds_total', 'Policy instances thrown away.', ['cause']);
  const bytes = metrics.gauge('policy_memory_bytes', 'Memory of the policy instance.');
  const loads = metrics.counter('policy_loads_total', 'Attempts to load a policy bundle.', ['outcome']);
  return {
    evaluated: (entrypoint, outcome, seconds) => {
      evaluations.inc({ entrypoint, outcome });
      duration.observe({ entrypoint }, seconds);
    },
    rebuilt: (cause) => rebuilds.inc({ cause }),
    memory: (size) => bytes.set(size),
    loaded: (outcome) => loads.inc({ outcome }),
  };
};
