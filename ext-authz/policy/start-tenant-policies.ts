// Tenants' own policies as main.ts starts them: their files, their thread, and what follows the feed.

import type { Result } from '#core/result.ts';
import { createBundleFiles } from '#ext-authz/policy/bundle-files.ts';
import { type BundleName, createBundleLoader } from '#ext-authz/policy/load-bundle.ts';
import { createTenantPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createTenantPolicies, type TenantPolicyService } from '#ext-authz/policy/tenant-policies.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { startPolicyThread } from '#runtime/policy/policy-thread.ts';

/** Time of one evaluation, milliseconds. A tenant's policy that takes it holds up those of the others as long. */
const EVALUATION_LIMIT_MS = 2_000;

/** @param options.directory of this process alone. */
export const startTenantPolicies = (options: {
  readonly directory: string;
  readonly fetchBundle: (name: BundleName) => Promise<Result<Buffer, 'unknown' | 'unreachable'>>;
  readonly onRecovered: () => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<TenantPolicyService> => {
  const { directory, fetchBundle, onRecovered, logger, metrics } = options;
  const files = createBundleFiles(directory);
  return createTenantPolicies({
    thread: startPolicyThread(EVALUATION_LIMIT_MS),
    load: createBundleLoader({ files, fetchBundle }),
    files,
    logger,
    metrics: createTenantPolicyMetrics(metrics),
    onRecovered,
  });
};
