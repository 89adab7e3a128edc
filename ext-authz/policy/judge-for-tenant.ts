// Step `policy` where a tenant has a policy of its own: what the platform's policy permits is put to the tenant's, and
// both must permit it. The tenant's can only narrow: it is not even asked about what is refused already.

import { type Deny, deny } from '#core/decision.ts';
import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { VisibleLists } from '#core/policy/answer.ts';
import { joinObligations } from '#core/policy/obligations.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findHiddenTarget, grantQuestion } from '#ext-authz/policy/grant-question.ts';
import { buildPolicyInput, type PolicyInput, type PolicyQuestion } from '#ext-authz/policy/input.ts';
import { type Judgement, refusalOf } from '#ext-authz/policy/judge.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';

const both = (ours: VisibleNames, theirs: VisibleNames): VisibleNames => {
  if (ours.all) return theirs;
  if (theirs.all) return ours;
  const known = new Set(theirs.names);
  return { all: false, names: ours.names.filter((name) => known.has(name)) };
};

const narrow = (lists: readonly ListOrder[], visible: VisibleLists): readonly ListOrder[] =>
  lists.map(({ kind, visible: ours }) => ({ kind, visible: both(ours, visible[kind]) }));

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

/**
 * What is left of what the platform's policy permits.
 * @returns the judgement, or the refusal: a reason of the tenant's policy, or policy_failed if it did not answer.
 */
export const judgeForTenant = async (
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
    obligations: joinObligations(permitted.obligations, decision.value.obligations),
    explain: [...permitted.explain, ...decision.value.explain.map((line) => `tenant/${line}`)],
    lists: lists.value,
  });
};
