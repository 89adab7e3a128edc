// Step `policy` where a tenant has a policy of its own: what the platform's policy permits is put to the tenant's, and
// both must permit it. The tenant's can only narrow: it is not even asked about what is refused already.

import { type Deny, deny } from '#core/decision.ts';
import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { Obligations, VisibleLists } from '#core/policy/answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { findHiddenTarget, grantQuestion } from '#ext-authz/policy/grant-question.ts';
import { buildPolicyInput, type PolicyInput, type PolicyQuestion } from '#ext-authz/policy/input.ts';
import { type Judgement, type Policy, refusalOf } from '#ext-authz/policy/judge.ts';
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

const both = (ours: VisibleNames, theirs: VisibleNames): VisibleNames => {
  if (ours.all) return theirs;
  if (theirs.all) return ours;
  const known = new Set(theirs.names);
  return { all: false, names: ours.names.filter((name) => known.has(name)) };
};

const narrow = (lists: readonly ListOrder[], visible: VisibleLists): readonly ListOrder[] =>
  lists.map(({ kind, visible: ours }) => ({ kind, visible: both(ours, visible[kind]) }));

/** All that either orders. A new kind of order does not compile before it is said here how two become one. */
const mergeObligations = (ours: Obligations, theirs: Obligations): Obligations => {
  const merged: Required<Obligations> = {
    approval: [...new Set([...(ours.approval ?? []), ...(theirs.approval ?? [])])],
  };
  return merged.approval.length === 0 ? {} : merged;
};

/**
 * The lists that are left of `lists`, by the grants of the tenant's policy: what may be seen, and with it whether what is
 * called may be. A call that reaches for nothing and lists nothing is no question of grants.
 */
const judgeGrants = async (
  engine: TenantEngine,
  {
    call,
    input,
    lists,
  }: { readonly call: McpCall; readonly input: PolicyInput; readonly lists: readonly ListOrder[] },
): Promise<Result<readonly ListOrder[], Deny>> => {
  if (call.targets.length + lists.length === 0) return ok(lists);
  const visible = await engine.visible(grantQuestion(input));
  if (!visible.ok) return visible;
  const hidden = findHiddenTarget(visible.value, call.targets);
  if (hidden === undefined) return ok(narrow(lists, visible.value));
  const reason = hidden.kind === 'tool' ? 'tool_not_granted' : 'target_not_granted';
  return err(deny(reason, { log: { policy: engine.revision, hidden: hidden.kind } }));
};

const judgeCall = async (
  engine: TenantEngine,
  question: PolicyQuestion,
  permitted: Judgement,
): Promise<Result<Judgement, Deny>> => {
  // Of a compiled policy nobody knows whether it reads arguments, and nobody would see those of a WebSocket's messages.
  if (question.call.kind === 'upgrade')
    return err(deny('websocket_needs_full_access', { log: { policy: engine.revision } }));
  const input = buildPolicyInput(question, { withArguments: true });
  if (!input.ok) return input;
  const { call } = question;
  const lists = await judgeGrants(engine, { call, input: input.value, lists: permitted.lists });
  if (!lists.ok) return lists;
  const decision = await engine.evaluate(input.value);
  if (!decision.ok) return decision;
  if (!decision.value.allow) return err(refusalOf(decision.value, { question, revision: engine.revision }));
  return ok({
    obligations: mergeObligations(permitted.obligations, decision.value.obligations),
    explain: [...permitted.explain, ...decision.value.explain.map((line) => `tenant/${line}`)],
    lists: lists.value,
  });
};

/** The platform's policy, and after it, where there is one, the tenant's. */
export const createCallPolicy = (parts: {
  readonly platform: Policy;
  readonly tenants: TenantPolicies;
}): CallPolicy => {
  const { platform, tenants } = parts;
  const judgeBoth = async (
    question: PolicyQuestion,
    permitted: Judgement,
  ): Promise<Result<Judgement, Deny>> => {
    const engine = await tenants.engineOf(question.tenant);
    return engine.ok ? judgeCall(engine.value, question, permitted) : engine;
  };
  return {
    judge: (question) => {
      const judged = platform.judge(question);
      const isAlone = question.tenant.policy?.bundle === undefined;
      return judged.ok && !isAlone ? judgeBoth(question, judged.value) : judged;
    },
    revision: (tenant) => {
      const own = tenants.revisionOf(tenant);
      return own === undefined ? platform.revision() : `${platform.revision()} ${own}`;
    },
  };
};
