// What Prometheus learns of policies. Labels are closed lists; the policy's own words never become one.

import type { Asked } from '#ext-authz/policy/tenant-engine.ts';
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

export type TenantPolicyMetrics = {
  /** Hears of the questions put to one tenant's policy. */
  asked(tenantId: string): (asked: Asked) => void;
  loaded(outcome: 'ok' | 'failed'): void;
  /** Tenants that are not judged by what they name. */
  failing(count: number): void;
};

/** Labels are ids of tenants, which the registry gives, and kinds of faults. */
export const createTenantPolicyMetrics = (metrics: Metrics): TenantPolicyMetrics => {
  const evaluations = metrics.counter(
    'tenant_policy_evaluations_total',
    "Questions put to tenants' own policies.",
    ['tenant', 'outcome'],
  );
  const duration = metrics.duration(
    'tenant_policy_evaluation_seconds',
    'Time of one evaluation, in its thread.',
  );
  const loads = metrics.counter('tenant_policy_loads_total', 'Attempts to load a bundle of a tenant.', [
    'outcome',
  ]);
  const failing = metrics.gauge(
    'tenant_policies_failing',
    'Tenants that are not judged by the bundle they name.',
  );
  return {
    asked: (tenant) => (asked) => {
      evaluations.inc({ tenant, outcome: asked.ok ? 'answered' : asked.error.kind });
      if (asked.ok) duration.observe(asked.value.ms / 1_000);
    },
    loaded: (outcome) => loads.inc({ outcome }),
    failing: (count) => failing.set(count),
  };
};
