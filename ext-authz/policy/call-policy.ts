// Step `policy` as the pipeline sees it: the platform's policy, then the tenant's, here and elsewhere, where there are any,
// and beside them what is on trial.

import type { Deny } from '#core/decision.ts';
import { ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantPolicy } from '#core/tenant-policy.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import type { Judgement, Policy } from '#ext-authz/policy/judge.ts';
import { judgeForTenant } from '#ext-authz/policy/judge-for-tenant.ts';
import type { RemotePolicies } from '#ext-authz/policy/remote-engine.ts';
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

const isAlone = (policy: TenantPolicy | undefined): boolean =>
  policy?.bundle === undefined && policy?.remote === undefined;

/** The platform's policy, and after it, where there are any, the tenant's: here, then elsewhere, because that takes longest. */
export const createCallPolicy = (parts: {
  readonly platform: Policy;
  readonly tenants: TenantPolicies;
  readonly remotes: RemotePolicies;
  readonly shadow: Shadow;
}): CallPolicy => {
  const { platform, tenants, remotes, shadow } = parts;
  const judgeAll = async (
    question: PolicyQuestion,
    permitted: Judgement,
  ): Promise<Result<Judgement, Deny>> => {
    const { id, policy } = question.tenant;
    let judged: Result<Judgement, Deny> = ok(permitted);
    if (policy?.bundle !== undefined) {
      const engine = await tenants.engineOf(question.tenant);
      judged = engine.ok ? await judgeForTenant(engine.value, question, permitted) : engine;
    }
    if (policy?.remote === undefined || !judged.ok) return judged;
    return judgeForTenant(remotes.engineOf(id, policy.remote), question, judged.value);
  };
  return {
    judge: (question) => {
      const permitted = platform.judge(question);
      if (!permitted.ok) return permitted;
      const { policy } = question.tenant;
      const judged = isAlone(policy) ? permitted : judgeAll(question, permitted.value);
      if (policy?.shadow !== undefined) shadow.observe(question, permitted.value, judged);
      return judged;
    },
    revision: (tenant) => {
      const { id, policy } = tenant;
      const remote = policy?.remote && remotes.engineOf(id, policy.remote).revision;
      return [platform.revision(), tenants.revisionOf(tenant), remote].filter(Boolean).join(' ');
    },
  };
};
