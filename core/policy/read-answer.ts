// Reads what a policy answered. Anything but exactly one answer of exactly the known shape is refused: undefined, a
// second result, a reason or an obligation nobody here would carry out.

import type { VisibleNames } from '#core/guard-orders.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { POLICY_REASONS, type PolicyDecision, type VisibleLists } from '#core/policy/answer.ts';
import { readObligations } from '#core/policy/obligations.ts';
import { err, ok, type Result } from '#core/result.ts';

const isStrings = (value: Json | undefined): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const hasOnly = (value: JsonObject, known: readonly string[]): boolean =>
  Object.keys(value).every((key) => known.includes(key));

/** The one value of an evaluation; OPA answers `[]` when a rule is undefined. */
const readOnlyResult = (answer: unknown): Result<JsonObject, string> => {
  if (!Array.isArray(answer)) return err('the answer is not a list of results');
  if (answer.length === 0) return err('the answer is undefined');
  if (answer.length > 1) return err('there is more than one answer');
  const value: unknown = isJsonObject(answer[0]) ? answer[0]['result'] : undefined;
  return isJsonObject(value) ? ok(value) : err('the answer is not an object');
};

const readAllow = (value: JsonObject, explain: readonly string[]): Result<PolicyDecision, string> => {
  if (!hasOnly(value, ['allow', 'obligations', 'explain'])) return err('an allow holds unknown members');
  const obligations = readObligations(value['obligations']);
  return obligations.ok ? ok({ allow: true, obligations: obligations.value, explain }) : obligations;
};

const readRefusal = (value: JsonObject, explain: readonly string[]): Result<PolicyDecision, string> => {
  const { constraint, requiredScopes } = value;
  const reason = POLICY_REASONS.find((known) => known === value['reason']);
  if (reason === undefined) return err('reason is not one a policy may give');
  if (constraint !== undefined && typeof constraint !== 'string') return err('constraint is not a string');
  if (requiredScopes !== undefined && !isStrings(requiredScopes)) return err('requiredScopes is not a list');
  return ok({
    allow: false,
    reason,
    ...(constraint === undefined ? {} : { constraint }),
    ...(requiredScopes === undefined ? {} : { requiredScopes }),
    explain,
  });
};

/** The decision in the answer of `mcp/authz/decision`; the error says what is wrong with it. */
export const readDecision = (answer: unknown): Result<PolicyDecision, string> => {
  const result = readOnlyResult(answer);
  if (!result.ok) return result;
  const { allow, explain } = result.value;
  if (!isStrings(explain)) return err('explain is not a list of strings');
  if (allow === true) return readAllow(result.value, explain);
  return allow === false ? readRefusal(result.value, explain) : err('allow is neither true nor false');
};

const readNames = (value: Json | undefined): VisibleNames | undefined => {
  if (!isJsonObject(value) || !isStrings(value['names'])) return undefined;
  if (value['all'] === true) return { all: true };
  return value['all'] === false ? { all: false, names: value['names'] } : undefined;
};

/** The lists in the answer of `mcp/authz/visible`. Tools are pinned and so must be named one by one. */
export const readVisible = (answer: unknown): Result<VisibleLists, string> => {
  const result = readOnlyResult(answer);
  if (!result.ok) return result;
  const tools = readNames(result.value['tools']);
  const prompts = readNames(result.value['prompts']);
  const resources = readNames(result.value['resources']);
  const resourceTemplates = readNames(result.value['resourceTemplates']);
  if (tools === undefined || tools.all) return err('tools is not a list of names');
  if (prompts === undefined) return err('prompts is not a list of names');
  if (resources === undefined) return err('resources is not a list of names');
  if (resourceTemplates === undefined) return err('resourceTemplates is not a list of names');
  return ok({ tools, prompts, resources, resourceTemplates });
};
