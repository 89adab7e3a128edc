// Step `policy` as the pipeline sees it: the platform's policy, then the tenant's where there is one, and beside them what
// is on trial.

import type { Deny } from '#core/decision.ts';
import type { Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import type { Judgement, Policy } from '#ext-authz/policy/judge.ts';
import { judgeForTenant } from '#ext-authz/policy/judge-for-tenant.ts';
import type { Shadow } from '#ext-authz/policy/shadow.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';

export type TenantPolicies = {
  /** What judges the tenant's calls beside the platform's policy; policy_failed while there is nothing that could. */
  engineOf(tenant: Tenant): Promise<Result<TenantEngine, Deny>>;
  /** Revision of what would judge now. */
  revisionOf(tenant: Tenant): string | undefined;
};

/** The policy step as the pipeline sees it. Without a policy of the tenant's the answer is there at once. */
export type CallPolicy = {
  judge(question: PolicyQuestion): Result<Judgement, Deny> | Promise<Result<Judgement, Deny>>;
  revision(tenant: Tenant): string;
};

/** The platform's policy, and after it, where there is one, the tenant's. */
export const createCallPolicy = (parts: {
  readonly platform: Policy;
  readonly tenants: TenantPolicies;
  readonly shadow: Shadow;
}): CallPolicy => {
  const { platform, tenants, shadow } = parts;
  const judgeBoth = async (
    question: PolicyQuestion,
    permitted: Judgement,
  ): Promise<Result<Judgement, Deny>> => {
    const engine = await tenants.engineOf(question.tenant);
    return engine.ok ? judgeForTenant(engine.value, question, permitted) : engine;
  };
  return {
    judge: (question) => {
      const permitted = platform.judge(question);
      if (!permitted.ok) return permitted;
      const { policy } = question.tenant;
      const judged = policy?.bundle === undefined ? permitted : judgeBoth(question, permitted.value);
      if (policy?.shadow !== undefined) shadow.observe(question, permitted.value, judged);
      return judged;
    },
    revision: (tenant) => {
      const own = tenants.revisionOf(tenant);
      return own === undefined ? platform.revision() : `${platform.revision()} ${own}`;
    },
  };
};
