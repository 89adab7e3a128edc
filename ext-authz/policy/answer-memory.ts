// What a policy of known rules answered a caller lately. An agent calls the same tool again and again, and an evaluation is a
// fifth of a decision. What such rules read beside the method and the targets of a call is what lasts of the caller's input,
// and that is another object as soon as his token, the server, its version or the tenant's grants are others.

import type { McpCall } from '#core/mcp-call.ts';
import type { PolicyDecision } from '#core/policy/answer.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { hasLimits, lastingParts, listKinds, type PolicyQuestion } from '#ext-authz/policy/input.ts';

/** Of one caller on one server; when they are as many he begins anew. */
const MAX_ANSWERS = 16;

/** Longest text of a method and its targets that is kept, characters. */
const MAX_KEY_LENGTH = 512;

type Answers = { readonly engine: PolicyEngine; readonly byCall: Map<string, PolicyDecision> };

// What lasts of inputs is kept for a bounded number of callers (input.ts), and their answers with it.
const kept = new WeakMap<object, Answers>();

const answersOf = (lasting: object, engine: PolicyEngine): Answers['byCall'] => {
  const known = kept.get(lasting);
  if (known?.engine === engine) return known.byCall;
  const byCall = new Map<string, PolicyDecision>();
  kept.set(lasting, { engine, byCall });
  return byCall;
};

const keyOf = ({ method, targets }: McpCall): string =>
  JSON.stringify([method, ...targets.map(({ kind, name }) => [kind, name])]);

export type AnswerPlace = {
  find(): PolicyDecision | undefined;
  keep(decision: PolicyDecision): void;
};

/** Where the answer to a call is kept; undefined if it may hang on more than is the same the next time. */
export const answerPlace = (engine: PolicyEngine, question: PolicyQuestion): AnswerPlace | undefined => {
  const { call } = question;
  if (engine.rulesAreKnown !== true || engine.readsArguments) return undefined;
  if (call.kind !== 'request' || listKinds(call).length > 0 || hasLimits(question)) return undefined;
  const key = keyOf(call);
  if (key.length > MAX_KEY_LENGTH) return undefined;
  const answers = answersOf(lastingParts(question), engine);
  return {
    find: () => answers.get(key),
    keep: (decision) => {
      if (answers.size >= MAX_ANSWERS) answers.clear();
      answers.set(key, decision);
    },
  };
};
