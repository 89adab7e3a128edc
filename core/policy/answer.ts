// What a policy may answer, in our own words: whoever tries a policy and whoever judges calls by it read it alike.

import type { VisibleNames } from '#core/guard-orders.ts';
import type { McpListKind } from '#core/mcp-call.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import type { Reason } from '#core/reason.ts';

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
  | { readonly allow: true; readonly obligations: Obligations; readonly explain: readonly string[] }
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
