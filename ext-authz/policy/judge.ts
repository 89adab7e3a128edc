// Step `policy` of the decision: the question put to the policy in service, and its answer in the gateway's own words.

import { type Deny, deny, type PublicFacts } from '#core/decision.ts';
import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import { heldScopes } from '#core/held-scopes.ts';
import type { PolicyDecision } from '#core/policy/answer.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ServerVersion } from '#core/server.ts';
import { type AnswerPlace, answerPlace } from '#ext-authz/policy/answer-memory.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import {
  buildPolicyInput,
  listKinds,
  type PolicyInput,
  type PolicyQuestion,
} from '#ext-authz/policy/input.ts';
import { judgeWholeAccess } from '#ext-authz/policy/whole-access.ts';

export type Judgement = {
  readonly obligations: Obligations;
  /** Why, for the decision log: ids of grants. */
  readonly explain: readonly string[];
  /** For every kind of list the answer may hold, the names it may show. */
  readonly lists: readonly ListOrder[];
};

/** `revision`: of what judged, and so of what refused. Once it has answered, another may be in service. */
export type Verdict = Result<Judgement, Deny> & { readonly revision: string };

export type Policy = {
  /**
   * @returns the judgement, or the refusal: a reason of the policy's, params_invalid for arguments that cannot be
   *   judged, policy_failed for a policy that did not answer. `contact` is added by the caller.
   */
  judge(question: PolicyQuestion): Verdict;
};

/** An answer is kept only where the call shows no list. */
const NO_LISTS: Judgement['lists'] = [];

type Refusal = Extract<PolicyDecision, { allow: false }>;

const refusalFacts = (
  { constraint, requiredScopes }: Refusal,
  { server, identity }: PolicyQuestion,
): PublicFacts => ({
  ...(constraint === undefined ? {} : { constraint }),
  ...(requiredScopes === undefined ? {} : { requiredScopes, heldScopes: heldScopes(server, identity) }),
});

/** A policy's refusal as the gateway's own. */
export const refusalOf = (
  refusal: Refusal,
  { question, revision }: { readonly question: PolicyQuestion; readonly revision: string },
): Deny => {
  const log = { policy: revision, explain: refusal.explain };
  return deny(refusal.reason, { public: refusalFacts(refusal, question), log });
};

/** Only pinned names, whatever the policy says: a name without a pin could not be compared with anything. */
const pinnedOnly = (names: readonly string[], version: ServerVersion): VisibleNames => {
  const pinned = new Set(version.tools.map((tool) => tool.name));
  return { all: false, names: names.filter((name) => pinned.has(name)) };
};

const findLists = (
  engine: PolicyEngine,
  input: PolicyInput,
  { call, version }: PolicyQuestion,
): Result<readonly ListOrder[], Deny> => {
  const kinds = listKinds(call);
  if (kinds.length === 0) return ok([]);
  const visible = engine.visible(input);
  if (!visible.ok) return visible;
  const { value } = visible;
  return ok(
    kinds.map((kind) => ({
      kind,
      visible: kind === 'tools' ? pinnedOnly(value.tools.names, version) : value[kind],
    })),
  );
};

type Allowance = Extract<PolicyDecision, { allow: true }>;

const allowance = (
  decision: PolicyDecision,
  engine: PolicyEngine,
  question: PolicyQuestion,
): Result<Allowance, Deny> =>
  decision.allow ? ok(decision) : err(refusalOf(decision, { question, revision: engine.revision }));

const judgement = ({ obligations, explain }: Allowance, lists: Judgement['lists']): Judgement => ({
  obligations,
  explain,
  lists,
});

const ask = (
  engine: PolicyEngine,
  question: PolicyQuestion,
  place: AnswerPlace | undefined,
): Result<Judgement, Deny> => {
  const { readsArguments: withArguments, rulesAreKnown: calledNamesOnly = false } = engine;
  const input = buildPolicyInput(question, { withArguments, calledNamesOnly });
  if (!input.ok) return input;
  const decision = engine.evaluate(input.value);
  if (!decision.ok) return decision;
  place?.keep(decision.value);
  const allowed = allowance(decision.value, engine, question);
  if (!allowed.ok) return allowed;
  if (question.call.kind === 'upgrade') {
    const whole = judgeWholeAccess(engine, question);
    if (!whole.ok) return whole;
  }
  const lists = findLists(engine, input.value, question);
  return lists.ok ? ok(judgement(allowed.value, lists.value)) : lists;
};

const judge = (engine: PolicyEngine, question: PolicyQuestion): Result<Judgement, Deny> => {
  const place = answerPlace(engine, question);
  const known = place?.find();
  if (known === undefined) return ask(engine, question, place);
  const allowed = allowance(known, engine, question);
  return allowed.ok ? ok(judgement(allowed.value, NO_LISTS)) : allowed;
};

/** @param holder gives the policy in service; taken once for each call. */
export const createPolicy = ({ holder }: { readonly holder: { current(): PolicyEngine } }): Policy => ({
  judge: (question) => {
    const engine = holder.current();
    return { ...judge(engine, question), revision: engine.revision };
  },
});
