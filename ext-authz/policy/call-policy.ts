// Step `policy` as the pipeline sees it: the platform's policy, then the tenant's, here and elsewhere, where there are any,
// and beside them what is on trial.

import type { Deny } from '#core/decision.ts';
import type { Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantPolicy } from '#core/tenant-policy.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import type { Policy, Verdict } from '#ext-authz/policy/judge.ts';
import { judgeForTenant } from '#ext-authz/policy/judge-for-tenant.ts';
import type { RemotePolicies } from '#ext-authz/policy/remote-engine.ts';
import type { Shadow } from '#ext-authz/policy/shadow.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';

export type TenantPolicies = {
  /** What judges the tenant's calls beside the platform's policy; policy_failed while there is nothing that could. */
  engineOf(tenant: Tenant): Promise<Result<TenantEngine, Deny>>;
};

/** The policy step as the pipeline sees it. Without a policy of the tenant's the answer is there at once. */
export type CallPolicy = {
  judge(question: PolicyQuestion): Verdict | Promise<Verdict>;
};

const isAlone = (policy: TenantPolicy | undefined): boolean =>
  policy?.bundle === undefined && policy?.remote === undefined;

type Permission = Extract<Verdict, { readonly ok: true }>;

const askAlso = async (
  engine: TenantEngine,
  question: PolicyQuestion,
  { value, revision }: Permission,
): Promise<Verdict> => {
  const judged = await judgeForTenant(engine, question, value);
  return { ...judged, revision: `${revision} ${engine.revision}` };
};

/** The platform's policy, and after it, where there are any, the tenant's: here, then elsewhere, because that takes longest. */
export const createCallPolicy = (parts: {
  readonly platform: Policy;
  readonly tenants: TenantPolicies;
  readonly remotes: RemotePolicies;
  readonly shadow: Shadow;
}): CallPolicy => {
  const { platform, tenants, remotes, shadow } = parts;
  const askHere = async (question: PolicyQuestion, permitted: Permission): Promise<Verdict> => {
    const engine = await tenants.engineOf(question.tenant);
    return engine.ok
      ? askAlso(engine.value, question, permitted)
      : { ...engine, revision: permitted.revision };
  };
  const judgeAll = async (question: PolicyQuestion, permitted: Permission): Promise<Verdict> => {
    const { id, policy } = question.tenant;
    const judged = policy?.bundle === undefined ? permitted : await askHere(question, permitted);
    if (policy?.remote === undefined || !judged.ok) return judged;
    return askAlso(remotes.engineOf(id, policy.remote), question, judged);
  };
  return {
    judge: (question) => {
      const permitted = platform.judge(question);
      if (!permitted.ok) return permitted;
      const { policy } = question.tenant;
      const judged = isAlone(policy) ? permitted : judgeAll(question, permitted);
      if (policy?.shadow !== undefined) shadow.observe(question, permitted.value, judged);
      return judged;
    },
  };
};
