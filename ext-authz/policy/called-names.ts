// What a call's grants say of the names it reaches for. A group may be granted a thousand tools; for a policy that only asks
// whether a called name is among them, the others would be written as JSON, parsed and hashed for nothing, call by call. Pure.

import type { Grant } from '#core/grant.ts';
import type { McpCall } from '#core/mcp-call.ts';

/** What policies are told of a grant (policies/input.schema.json). */
export type GrantPart = Pick<Grant, 'id' | 'subjects' | 'tools' | 'prompts' | 'resources'>;

const EVERYTHING = '*';

/** So few are looked through sooner than a set of them is found. */
const FEW = 4;

// Lists of names in a snapshot are never edited.
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

const setOf = (names: readonly string[]): ReadonlySet<string> => {
  const known = sets.get(names);
  if (known !== undefined) return known;
  const made = new Set(names);
  sets.set(names, made);
  return made;
};

const among = (names: readonly string[], called: readonly string[]): readonly string[] => {
  if (names.length <= FEW) return names;
  const known = setOf(names);
  return called.filter((name) => known.has(name));
};

/** The grants with those of their names that the call reaches for, and `*`. All of a grant's list if it is short. */
export const withCalledNames = (
  grants: readonly GrantPart[],
  targets: McpCall['targets'],
): readonly GrantPart[] => {
  const called = [EVERYTHING, ...targets.map(({ name }) => name)];
  return grants.map(({ id, subjects, tools, prompts, resources }) => ({
    id,
    subjects,
    tools: among(tools, called),
    prompts: among(prompts, called),
    resources: among(resources, called),
  }));
};
