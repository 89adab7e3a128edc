// Rules that change nothing: a constraint whose set is misspelt refuses nobody, an order in a package of another name is
// given to nobody, and both look as if they did. Pure.

import type { PolicyFault } from '#policies/build/fault.ts';
import { reachableFrom } from '#policies/build/reach.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';

const DECIDES = new Set(['mcp.authz.decision', 'mcp.authz.visible']);

/** @param isOwn whether a file is the author's. */
export const findUnread = (
  rules: readonly RegoRule[],
  isOwn: (file: string) => boolean,
): readonly PolicyFault[] => {
  const read = reachableFrom(rules, ({ path }) => DECIDES.has(path));
  return rules
    .filter((rule) => !read.has(rule) && isOwn(rule.file))
    .map(({ path, file, line }) => ({
      file,
      line,
      message: `no decision depends on ${path}`,
      remedy:
        'Correct its package or name (mcp.authz.constraint: violated; mcp.authz.grant: permits_tool, permits_prompt, permits_resource; mcp.authz.obligation: approval, log_level, redact, max_response_bytes), use it, or take it out',
    }));
};
