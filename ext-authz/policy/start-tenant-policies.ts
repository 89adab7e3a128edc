// Tenants' own policies as main.ts starts them: those that judge, and those on trial, each with files and a thread of
// their own, so that a trial can hold up no call.

import { join } from 'node:path';
import type { Result } from '#core/result.ts';
import type { BundleMember } from '#core/tenant-policy.ts';
import { createBundleFiles } from '#ext-authz/policy/bundle-files.ts';
import type { TenantPolicies } from '#ext-authz/policy/call-policy.ts';
import { type BundleName, createBundleLoader } from '#ext-authz/policy/load-bundle.ts';
import { createShadowMetric, createTenantPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createShadow, type Shadow } from '#ext-authz/policy/shadow.ts';
import { createTenantPolicies, type TenantPolicyService } from '#ext-authz/policy/tenant-policies.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { startPolicyThread } from '#runtime/policy/policy-thread.ts';

/** Time of one evaluation, milliseconds. A tenant's policy that takes it holds up those of the others as long. */
const EVALUATION_LIMIT_MS = 2_000;

export type TenantPolicyStart = {
  /** Of this process alone. */
  readonly directory: string;
  readonly fetchBundle: (name: BundleName) => Promise<Result<Buffer, 'unknown' | 'unreachable'>>;
  /** Called when other tenants fail than before, without a snapshot. */
  readonly onChanged: () => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

export type StartedTenantPolicies = Pick<TenantPolicyService, 'follow' | 'failing' | 'stop'> & {
  readonly tenants: TenantPolicies;
  readonly shadow: Shadow;
};

export const startTenantPolicies = async (options: TenantPolicyStart): Promise<StartedTenantPolicies> => {
  const { directory, fetchBundle, logger, metrics } = options;
  const metricsOf = createTenantPolicyMetrics(metrics);
  const start = (member: BundleMember, onChanged: () => void): Promise<TenantPolicyService> => {
    const files = createBundleFiles(join(directory, member));
    return createTenantPolicies({
      member,
      thread: startPolicyThread(EVALUATION_LIMIT_MS),
      load: createBundleLoader({ files, fetchBundle }),
      files,
      logger,
      metrics: metricsOf(member),
      onChanged,
    });
  };
  const tenants = await start('bundle', options.onChanged);
  const trials = await start('shadow', () => undefined);
  const shadow = createShadow({
    serving: (tenant) => trials.serving(tenant),
    compared: createShadowMetric(metrics),
    logger,
    monotonicMs: () => performance.now(),
  });
  return {
    tenants,
    shadow,
    follow: (snapshot) => {
      void trials.follow(snapshot);
      return tenants.follow(snapshot);
    },
    failing: () => tenants.failing(),
    stop: async () => {
      await Promise.all([tenants.stop(), trials.stop()]);
    },
  };
};
