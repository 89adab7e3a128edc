// The metrics of the policy step under the names dashboards use.

import { expect, it } from 'vitest';
import { createPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createMetrics } from '#runtime/metrics.ts';

it('counts evaluations, rebuilds and loads by closed lists of labels', async () => {
  const metrics = createMetrics('ext-authz');
  const policy = createPolicyMetrics(metrics);
  policy.evaluated('decision', 'answered', 0.001);
  policy.evaluated('visible', 'failed', 0.001);
  policy.rebuilt('memory');
  policy.loaded('failed');
  policy.memory(327_680);
  const { body } = await metrics.render();
  expect(body).toMatch(/mcpgw_policy_evaluations_total\{entrypoint="decision",outcome="answered".*\} 1/);
  expect(body).toMatch(/mcpgw_policy_evaluations_total\{entrypoint="visible",outcome="failed".*\} 1/);
  expect(body).toMatch(/mcpgw_policy_evaluation_seconds_count\{.*entrypoint="decision".*\} 1/);
  expect(body).toMatch(/mcpgw_policy_rebuilds_total\{cause="memory".*\} 1/);
  expect(body).toMatch(/mcpgw_policy_loads_total\{outcome="failed".*\} 1/);
  expect(body).toMatch(/mcpgw_policy_memory_bytes\{.*\} 327680/);
});
