// What answers policy questions, whatever runs the rules: WASM in this process today; an OPA beside it would be
// another file with these functions. An engine never throws: what it cannot answer is a refusal.

import type { Deny } from '#core/decision.ts';
import type { PolicyDecision, VisibleLists } from '#core/policy/answer.ts';
import type { Result } from '#core/result.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';

export type PolicyEngine = {
  /** Name and digest of the policy, for the decision log. */
  readonly revision: string;
  /** Whether the policy reads `input.call.arguments`, so that they must be sent. */
  readonly readsArguments: boolean;
  /** Whether its rules are some of which tests show what they read (policy/known-rules.ts). Absent: it may read everything. */
  readonly rulesAreKnown?: boolean;
  /** Judges a call. The refusal is policy_failed: no answer, several, or one of unknown shape. */
  evaluate(input: PolicyInput): Result<PolicyDecision, Deny>;
  /** Names each list may show this caller. Refusals as for `evaluate`. */
  visible(input: PolicyInput): Result<VisibleLists, Deny>;
};
