// What Prometheus learns of policies. Labels are closed lists; the policy's own words never become one.

import type { BundleMember } from '#core/tenant-policy.ts';
import type { ShadowDifference } from '#ext-authz/policy/shadow.ts';
import { SLOW_MS } from '#ext-authz/policy/strikes.ts';
import type { Asked } from '#ext-authz/policy/tenant-engine.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { PolicyAnswer } from '#runtime/policy/policy-thread.ts';

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

/** What Prometheus learns of one kind of bundle that tenants name. */
export type TenantPolicyMetrics = {
  /** Hears of the questions put to one tenant's policy. */
  asked(tenantId: string): (asked: Asked) => void;
  loaded(outcome: 'ok' | 'failed'): void;
  /** Tenants that are not judged by what they name. */
  failing(count: number): void;
  takenOut(tenantId: string): void;
};

type Labels = { readonly tenant: string; readonly member: BundleMember };

/** Labels are ids of tenants, which the registry gives, and closed lists. */
export const createTenantPolicyMetrics = (
  metrics: Metrics,
): ((member: BundleMember) => TenantPolicyMetrics) => {
  const evaluations = metrics.counter(
    'tenant_policy_evaluations_total',
    "Questions put to tenants' own policies.",
    ['tenant', 'member', 'outcome'],
  );
  const duration = metrics.duration(
    'tenant_policy_evaluation_seconds',
    'Time of one evaluation, in its thread.',
    ['member'],
  );
  const loads = metrics.counter('tenant_policy_loads_total', 'Attempts to load a bundle of a tenant.', [
    'member',
    'outcome',
  ]);
  const slow = metrics.counter('tenant_policy_slow_total', `Evaluations that took more than ${SLOW_MS} ms.`, [
    'tenant',
    'member',
  ]);
  const renewals = metrics.counter(
    'tenant_policy_renewals_total',
    'Instances replaced because their memory had grown.',
    ['tenant', 'member'],
  );
  const takenOut = metrics.counter(
    'tenant_policy_taken_out_total',
    'Bundles taken out of service for being slow.',
    ['tenant', 'member'],
  );
  const failing = metrics.gauge(
    'tenant_policies_failing',
    'Tenants whose bundle of this kind is not the one they name.',
    ['member'],
  );
  const answered = (labels: Labels, { ms, renewed }: PolicyAnswer): void => {
    duration.observe({ member: labels.member }, ms / 1_000);
    if (ms > SLOW_MS) slow.inc(labels);
    if (renewed) renewals.inc(labels);
  };
  return (member) => ({
    asked: (tenant) => (asked) => {
      evaluations.inc({ tenant, member, outcome: asked.ok ? 'answered' : asked.error.kind });
      if (asked.ok) answered({ tenant, member }, asked.value);
    },
    loaded: (outcome) => loads.inc({ member, outcome }),
    failing: (count) => failing.set({ member }, count),
    takenOut: (tenant) => takenOut.inc({ tenant, member }),
  });
};

/** Counts comparisons with bundles on trial. */
export const createShadowMetric = (metrics: Metrics) => {
  const comparisons = metrics.counter(
    'policy_shadow_total',
    "Calls that a tenant's bundle on trial was compared on, by how it differed.",
    ['tenant', 'difference'],
  );
  return (tenant: string, difference: ShadowDifference): void => comparisons.inc({ tenant, difference });
};
