// Which files of the library a policy uses. Only those are built into it: WebAssembly would leave unused rules out by
// itself, but what a policy reads, and what its digest covers, is said by files. Pure.

import { refersTo } from '#policies/build/reach.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';

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
