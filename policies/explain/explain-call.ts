// Why a call is decided as it is and what would change it, found by asking the policy itself: once for the call as it
// is, then again after each change that answers the last refusal.

import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '#core/json.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';
import { type Change, nextStep } from '#policies/explain/changes.ts';
import type { Evaluation } from '#policies/explain/evaluate.ts';

/** There are seven answers, so no chain of refusals is longer. */
const MAX_STEPS = 7;

export type Explanation = {
  readonly decision: JsonObject | undefined;
  /** Rules that came true and say yes or no. */
  readonly decidedBy: readonly RegoRule[];
  /** In the order in which they are found: the second shows only after the first. */
  readonly changes: readonly Change[];
  /** With all of them the call is allowed. False: something stays that only its author can judge. */
  readonly allowedThen: boolean;
};

/** @param ask evaluates the policy. @throws whatever it throws. */
export const explainCall = async (
  ask: (input: JsonObject) => Promise<Evaluation>,
  input: JsonObject,
): Promise<Explanation> => {
  const first = await ask(input);
  const changes: Change[] = [];
  let current = { input, ...first };
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { decision } = current;
    if (decision === undefined || decision['allow'] === true) break;
    const next = nextStep(current.input, decision, current.held);
    changes.push(...next.changes);
    if (next.input === undefined || isDeepStrictEqual(next.input, current.input)) break;
    const answer = await ask(next.input);
    // Asked in vain: what was changed is not what refuses.
    if (isDeepStrictEqual(answer.decision, decision)) break;
    current = { input: next.input, ...answer };
  }
  const allowedThen = current.decision?.['allow'] === true;
  return { decision: first.decision, decidedBy: first.held, changes, allowedThen };
};
