// Who may open a WebSocket. Nobody sees the messages inside afterwards, so it is open only to callers to whom no message
// would be refused: every pinned tool, every prompt and resource, and no limit on arguments. The policy itself is asked,
// tool by tool; what cannot be asked counts as no.

import { type Deny, deny } from '#core/decision.ts';
import { heldScopes } from '#core/held-scopes.ts';
import type { JsonObject } from '#core/json.ts';
import type { PolicyDecision, VisibleLists } from '#core/policy/answer.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { buildPolicyInput, type PolicyInput, type PolicyQuestion } from '#ext-authz/policy/input.ts';

/** A value no bound holds for: whoever may send it is bound by no limit on that argument. */
const BREAKS_EVERY_BOUND: JsonObject = { mcpgw: 'a value that breaks every bound' };

// Nobody could hold back one message of a WebSocket until a person has looked at it, nor change or count what comes back.
const UNFULFILLED = ['approval', 'redact', 'maxResponseBytes'] as const satisfies (keyof Obligations)[];

const refuse = (missing: string): Result<never, Deny> =>
  err(deny('websocket_needs_full_access', { log: { missing } }));

const inputFor = (question: PolicyQuestion, call: Partial<PolicyQuestion['call']>) =>
  buildPolicyInput({ ...question, call: { ...question.call, ...call } }, { withArguments: false });

const withBrokenLimits = (input: PolicyInput, { server }: PolicyQuestion, tool: string): PolicyInput => {
  const limits = server.constraints.filter((limit) => limit.tool === tool);
  const values = Object.fromEntries(limits.map(({ pointer }) => [pointer, BREAKS_EVERY_BOUND]));
  return { ...input, call: { ...(input['call'] as JsonObject), values } };
};

/** Of scopes the caller may hear, so that it can fetch them; of anything else only that it is not enough. */
const judgeTool = (
  engine: PolicyEngine,
  question: PolicyQuestion,
  name: string,
): Result<PolicyDecision, Deny> => {
  const call = { kind: 'request', method: 'tools/call', targets: [{ kind: 'tool', name }] } as const;
  const input = inputFor(question, call);
  if (!input.ok) return input;
  const decision = engine.evaluate(withBrokenLimits(input.value, question, name));
  if (!decision.ok) return decision;
  if (decision.value.allow) {
    const { obligations } = decision.value;
    const order = UNFULFILLED.find((wanted) => obligations[wanted] !== undefined);
    return order === undefined ? decision : refuse(`tool/${name}: ${order}`);
  }
  const { reason, requiredScopes = [] } = decision.value;
  if (reason !== 'scope_insufficient') return refuse(`tool/${name}: ${reason}`);
  const held = heldScopes(question.server, question.identity);
  return err(deny(reason, { public: { requiredScopes, heldScopes: held } }));
};

const findHidden = (visible: VisibleLists, { version }: PolicyQuestion): string | undefined => {
  const { tools, prompts, resources, resourceTemplates } = visible;
  if (!prompts.all) return 'prompts';
  if (!resources.all || !resourceTemplates.all) return 'resources';
  return version.tools.find(({ name }) => !tools.names.includes(name))?.name;
};

/** Nothing if all of the version is open to the caller; else websocket_needs_full_access, scope_insufficient, policy_failed. */
export const judgeWholeAccess = (engine: PolicyEngine, question: PolicyQuestion): Result<true, Deny> => {
  if (engine.readsArguments) return refuse('a policy that does not read arguments');
  const listing = inputFor(question, { kind: 'request', method: 'tools/list', list: 'tools' });
  if (!listing.ok) return listing;
  const visible = engine.visible(listing.value);
  if (!visible.ok) return visible;
  const hidden = findHidden(visible.value, question);
  if (hidden !== undefined) return refuse(hidden);
  for (const { name } of question.version.tools) {
    const judged = judgeTool(engine, question, name);
    if (!judged.ok) return judged;
  }
  return ok(true);
};
