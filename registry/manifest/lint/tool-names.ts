// Tool names that stand for another: twice in the manifest, or so like one of another server of the tenant that a
// person, or a model that sees both, takes one for the other. Also where a client puts the server's name before it.

import { type Finding, pointerTo } from '#registry/manifest/lint/finding.ts';
import type { Manifest } from '#registry/manifest/schema/manifest-2.ts';

export type KnownTools = { readonly serverId: string; readonly tools: readonly string[] };

/** `createIssue`, `create-issue` and `create_issue` are one name to a reader. */
const spelling = (name: string): string => name.replace(/[_.-]/g, '').toLowerCase();

/** What looks alike in most fonts becomes one character. */
const look = (name: string): string =>
  name
    .replace(/[_.-]/g, '')
    .toLowerCase()
    .replace(/[i1]/g, 'l')
    .replaceAll('rn', 'm')
    .replaceAll('nn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd')
    .replaceAll('cj', 'g')
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

/**
 * Clients that show the tools of all servers in one list write `server__tool`, `server-tool` or `server.tool`: then
 * `c` of `a-b` and `b__c` of `a` are one name.
 */
const listed = (...parts: readonly string[]): string =>
  parts
    .join('-')
    .replace(/[_.-]+/g, '-')
    .toLowerCase();

/** What the names of a server's tools are compared by. */
type Forms = {
  /** The first name of each look. */
  readonly looks: ReadonlyMap<string, Named>;
  /** As clients list them. */
  readonly listed: ReadonlyMap<string, string>;
};

const toForms = ({ serverId, tools }: KnownTools): Forms => {
  const where = `server ${serverId}`;
  return {
    looks: new Map(tools.map((name) => [look(name), { name, where }] as const).toReversed()),
    listed: new Map(tools.map((name) => [listed(serverId, name), `${name} of ${where}`])),
  };
};

// A tenant may have thousands of servers, and each manifest is held against all of them.
const known = new WeakMap<KnownTools, Forms>();

const formsOf = (tools: KnownTools): Forms => {
  const forms = known.get(tools) ?? toForms(tools);
  known.set(tools, forms);
  return forms;
};

const firstOf = <T>(others: readonly Forms[], find: (forms: Forms) => T | undefined): T | undefined => {
  for (const forms of others) {
    const found = find(forms);
    if (found !== undefined) return found;
  }
  return undefined;
};

const lintInside = (names: readonly string[]): Placed[] => {
  const seen = new Map<string, string>();
  return names.flatMap((name, index): Placed[] => {
    const earlier = seen.get(look(name));
    seen.set(look(name), earlier ?? name);
    if (earlier === undefined) return [];
    return [
      earlier === name
        ? { index, severity: 'error', code: 'tool-name-duplicate', message: `${name} is named twice` }
        : {
            index,
            severity: 'error',
            code: 'tool-name-lookalike',
            message: `looks like ${earlier} of this manifest`,
          },
    ];
  });
};

type Placed = Omit<Finding, 'pointer'> & { readonly index: number };

const lintOutside = (names: readonly string[], others: readonly Forms[]): Placed[] =>
  names.flatMap((name, index): Placed[] => {
    const looks = look(name);
    const other = firstOf(others, (forms) => forms.looks.get(looks));
    return other === undefined ? [] : [{ index, ...compare(name, other) }];
  });

/** What is looked at of a manifest. */
type NamedTools = Pick<Manifest, 'server' | 'tools'>;

const lintListed = ({ server, tools }: NamedTools, others: readonly Forms[]): Placed[] =>
  tools.flatMap(({ name }, index): Placed[] => {
    const [long, short] = [listed(server, name), listed(name)];
    const other =
      firstOf(others, (forms) => forms.listed.get(long)) ??
      firstOf(others, (forms) => forms.listed.get(short));
    const message = `reads like ${other} where a client puts the server's name before it`;
    return other === undefined ? [] : [{ index, severity: 'error', code: 'tool-name-prefix', message }];
  });

/** Judges the names of a manifest's tools among themselves and against those of `others`. */
export const lintToolNames = (manifest: NamedTools, others: readonly KnownTools[]): Finding[] => {
  const names = manifest.tools.map(({ name }) => name);
  const forms = others.map(formsOf);
  return [...lintInside(names), ...lintOutside(names, forms), ...lintListed(manifest, forms)].map(
    ({ index, ...found }) => ({ ...found, pointer: `${pointerTo('/tools', index)}/name` }),
  );
};
