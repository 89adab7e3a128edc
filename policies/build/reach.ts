// Which rules of a policy lead to which, by the paths they refer to. Pure.

import type { RegoRule } from '#policies/build/rego-rules.ts';

export const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => path[index] === part);

/** A reference below a path, to it, or to something above it (`data.mcp[x]`), which may be it. */
export const refersTo = (reference: readonly string[], path: readonly string[]): boolean =>
  startsWith(reference, path) || startsWith(path, reference);

/** The roots and every rule they use, directly or through others. */
export const reachableFrom = (
  rules: readonly RegoRule[],
  isRoot: (rule: RegoRule) => boolean,
): ReadonlySet<RegoRule> => {
  const found = new Set(rules.filter(isRoot));
  // A Set yields what is added while it is walked, so this ends when nothing new is reached.
  for (const rule of found) {
    for (const reference of rule.data) {
      for (const other of rules) if (refersTo(reference, other.path.split('.'))) found.add(other);
    }
  }
  return found;
};
