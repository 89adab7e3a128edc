// Tool names that stand for another: twice in the manifest, or so like one of another server of the tenant that a
// person, or a model that sees both, takes one for the other.

import type { Tool } from '#core/server.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';

export type KnownTools = { readonly serverId: string; readonly tools: readonly string[] };

/** `createIssue`, `create-issue` and `create_issue` are one name to a reader. */
const spelling = (name: string): string => name.replace(/[_.-]/g, '').toLowerCase();

/** What looks alike in most fonts becomes one character. */
const look = (name: string): string =>
  name
    .replace(/[_.-]/g, '')
    .toLowerCase()
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replace(/[i1]/g, 'l')
    .replaceAll('0', 'o')
    .replaceAll('5', 's');

type Named = { readonly name: string; readonly where: string };

const compare = (name: string, other: Named): Pick<Finding, 'severity' | 'code' | 'message'> => {
  if (other.name === name)
    return {
      severity: 'warning',
      code: 'tool-name-collision',
      message: `${other.where} has a tool of this name too`,
    };
  if (spelling(other.name) === spelling(name))
    return {
      severity: 'warning',
      code: 'tool-name-collision',
      message: `differs from ${other.name} of ${other.where} in case or separators only`,
    };
  return {
    severity: 'error',
    code: 'tool-name-lookalike',
    message: `looks like ${other.name} of ${other.where}`,
  };
};

/** Names by what they look like; the first of each look. */
const byLook = (others: readonly KnownTools[]): ReadonlyMap<string, Named> =>
  new Map(
    others
      .flatMap(({ serverId, tools }) => tools.map((name) => ({ name, where: `server ${serverId}` })))
      .map((named) => [look(named.name), named] as const)
      .toReversed(),
  );

const lintInside = (tools: readonly Tool[]): Finding[] => {
  const seen = new Map<string, string>();
  return tools.flatMap(({ name }, index): Finding[] => {
    const earlier = seen.get(look(name));
    seen.set(look(name), earlier ?? name);
    if (earlier === undefined) return [];
    const pointer = `/tools/${index}/name`;
    if (earlier === name)
      return [{ severity: 'error', code: 'tool-name-duplicate', pointer, message: `${name} is named twice` }];
    return [
      {
        severity: 'error',
        code: 'tool-name-lookalike',
        pointer,
        message: `looks like ${earlier} of this manifest`,
      },
    ];
  });
};

/** Judges the names of a manifest's tools among themselves and against `others`. */
export const lintToolNames = (tools: readonly Tool[], others: readonly KnownTools[]): Finding[] => {
  const known = byLook(others);
  const outside = tools.flatMap(({ name }, index): Finding[] => {
    const other = known.get(look(name));
    return other === undefined ? [] : [{ ...compare(name, other), pointer: `/tools/${index}/name` }];
  });
  return [...lintInside(tools), ...outside];
};
