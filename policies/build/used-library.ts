// Which files of the library a policy uses. Only those are built into it: WebAssembly would leave unused rules out by
// itself, but what a policy reads, and what its digest covers, is said by files. Pure.

import type { RegoRule } from '#policies/build/rego-rules.ts';

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => path[index] === part);

/** A reference may end above a package (`data.mcp[x]`): that uses all below it. */
const refersTo = (reference: readonly string[], packagePath: readonly string[]): boolean =>
  startsWith(reference, packagePath) || startsWith(packagePath, reference);

/** Files (as `RegoRule.file` has them) of the library's rules that `rules` reach, directly or through other such files. */
export const usedLibrary = (
  rules: readonly RegoRule[],
  library: readonly RegoRule[],
): ReadonlySet<string> => {
  const used = new Set<string>();
  let reaching = rules;
  while (reaching.length > 0) {
    const references = reaching.flatMap((rule) => rule.data);
    const found = library.filter(({ file, path }) => {
      const packagePath = path.split('.').slice(0, -1);
      return !used.has(file) && references.some((reference) => refersTo(reference, packagePath));
    });
    for (const { file } of found) used.add(file);
    reaching = library.filter(({ file }) => found.some((rule) => rule.file === file));
  }
  return used;
};
