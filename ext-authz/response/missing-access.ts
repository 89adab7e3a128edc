// What a refused caller lacks, as data an administrator can act on and in words for the agent that reads the message. It
// repeats what the caller asked for and nothing else: a tool that does not exist reads like one that is not granted. Pure.

import type { Deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpCall, McpTarget } from '#core/mcp-call.ts';
import type { Reason } from '#core/reason.ts';

/** What the caller asked for; only of callers who are known. */
export type AskedFor = { readonly serverId: string; readonly targets: McpCall['targets'] };

/** Names repeated in an answer; a subscription may name thousands. */
const MAX_NAMES = 10;
/** Longer names are left out, code units. */
const MAX_NAME_LENGTH = 256;

const NOT_GRANTED: ReadonlySet<Reason> = new Set<Reason>([
  'caller_not_granted',
  'tool_not_granted',
  'tool_unknown',
  'target_not_granted',
]);

const MEMBERS = { tool: 'tools', prompt: 'prompts', resource: 'resources' } as const satisfies Record<
  McpTarget['kind'],
  string
>;

export type Missing = {
  /** As the registry's API takes grants, without whom it is for. */
  readonly grant?: JsonObject;
  /** Scopes the token lacks, of those the operation needs. */
  readonly scopes?: readonly string[];
};

const missingGrant = ({ serverId, targets }: AskedFor): JsonObject => {
  const named = targets.filter(({ name }) => name.length <= MAX_NAME_LENGTH).slice(0, MAX_NAMES);
  const byKind = Object.groupBy(named, ({ kind }) => MEMBERS[kind]);
  const names = Object.entries(byKind).map(([member, of]) => [member, of.map(({ name }) => name)]);
  return { serverId, ...Object.fromEntries(names) };
};

/** Undefined where it is no access that is missing, or nobody may be told. */
export const findMissing = (denial: Deny, asked: AskedFor | undefined): Missing | undefined => {
  if (asked === undefined) return undefined;
  if (NOT_GRANTED.has(denial.reason)) return { grant: missingGrant(asked) };
  const { requiredScopes = [], heldScopes = [] } = denial.publicFacts;
  const scopes = requiredScopes.filter((scope) => !heldScopes.includes(scope));
  return denial.reason === 'scope_insufficient' && scopes.length > 0 ? { scopes } : undefined;
};

const list = (names: readonly unknown[]): string => names.map((name) => JSON.stringify(name)).join(', ');

const grantWords = (grant: JsonObject): string => {
  const parts = Object.values(MEMBERS).flatMap((member) => {
    const names = grant[member];
    return Array.isArray(names) ? [`${member} ${list(names)}`] : [];
  });
  const what = parts.length === 0 ? '' : ` for ${parts.join(' and ')}`;
  return `a grant on server ${JSON.stringify(grant['serverId'])}${what}`;
};

/**
 * What to do about it, as sentences to put behind the reason's own; empty where that says all.
 * @param contact whom the tenant named to ask; absent where the caller may not be told.
 */
export const adviceFor = (
  denial: Deny,
  missing: Missing | undefined,
  contact: string | undefined,
): string => {
  const whom = contact === undefined || contact === '' ? 'an administrator' : contact;
  if (missing?.grant !== undefined) return ` Ask ${whom} for ${grantWords(missing.grant)}.`;
  if (missing?.scopes !== undefined)
    return ` It needs ${list(missing.scopes)} besides: sign in again and ask for them.`;
  const { constraint } = denial.publicFacts;
  if (denial.reason === 'constraint_violated' && constraint !== undefined)
    return ` The rule is ${JSON.stringify(constraint)}; ask ${whom} about it.`;
  return '';
};
