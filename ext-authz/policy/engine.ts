// What answers policy questions, whatever runs the rules: WASM in this process today; an OPA beside it would be
// another file with these functions. An engine never throws: what it cannot answer is a refusal.

import type { Deny } from '#core/decision.ts';
import type { VisibleNames } from '#core/guard-orders.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpListKind } from '#core/mcp-call.ts';
import type { Reason } from '#core/reason.ts';
import type { Result } from '#core/result.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';

/** The reasons a policy may give; any other is a fault of the policy. */
export const POLICY_REASONS = [
  'caller_not_granted',
  'tool_not_granted',
  'tool_unknown',
  'target_not_granted',
  'scope_insufficient',
  'constraint_violated',
] as const satisfies readonly Reason[];
export type PolicyReason = (typeof POLICY_REASONS)[number];

export type PolicyDecision =
  | { readonly allow: true; readonly obligations: JsonObject; readonly explain: readonly string[] }
  | {
      readonly allow: false;
      readonly reason: PolicyReason;
      readonly constraint?: string;
      readonly requiredScopes?: readonly string[];
      readonly explain: readonly string[];
    };

/** Tools are pinned, so they are always named one by one. */
export type VisibleLists = Readonly<Record<Exclude<McpListKind, 'tools'>, VisibleNames>> & {
  readonly tools: Extract<VisibleNames, { all: false }>;
};

export type PolicyEngine = {
  /** Name and digest of the policy, for the decision log. */
  readonly revision: string;
  /** Whether the policy reads `input.call.arguments`, so that they must be sent. */
  readonly readsArguments: boolean;
  /** Judges a call. The refusal is policy_failed: no answer, several, or one of unknown shape. */
  evaluate(input: PolicyInput): Result<PolicyDecision, Deny>;
  /** Names each list may show this caller. Refusals as for `evaluate`. */
  visible(input: PolicyInput): Result<VisibleLists, Deny>;
};
