// Where the parts of a policy lie. The platform's rules and the library come with the product; an author's own rules lie
// in a folder of their own beside them, so that a new release replaces the one and not the other.

import { join, relative, resolve } from 'node:path';
import { loadSources } from '#policies/build/sources.ts';

const HERE = resolve(import.meta.dirname, '..');

export const PLATFORM_RULES = resolve(HERE, 'mcp');
export const LIBRARY = resolve(HERE, 'lib');
/** Builtins every instance of the module has without help; see README.md. */
export const CAPABILITIES = resolve(HERE, 'capabilities.json');
export const INPUT_SCHEMA = resolve(HERE, 'input.schema.json');

/** Paths are absolute. */
export type PolicyFolders = {
  /** The rules every policy begins with: the platform's, or a copy somebody changed. */
  readonly sources: string;
  /** An author's own rules; absent: none. */
  readonly rules?: string | undefined;
};

/** All of them, as OPA loads them: each is a root of its own, so that its data documents stand where its author put them. */
export const allFolders = ({ sources, rules }: PolicyFolders): readonly string[] => [
  sources,
  LIBRARY,
  ...(rules === undefined ? [] : [rules]),
];

/** Those the author answers for. */
export const ownFolders = ({ sources, rules }: PolicyFolders): readonly string[] => {
  if (rules !== undefined) return [rules];
  return sources === PLATFORM_RULES ? [sources, LIBRARY] : [sources];
};

/**
 * What tests are run on: the author's files whole; of the others only the rules, because the tests that come with them
 * say how they answer alone.
 */
export const testedPaths = async (folders: PolicyFolders): Promise<readonly string[]> => {
  const own = ownFolders(folders);
  const others = allFolders(folders).filter((folder) => !own.includes(folder));
  const rules = others.map(async (folder) =>
    (await loadSources(folder)).map(({ path }) => join(folder, path)),
  );
  return [...own, ...(await Promise.all(rules)).flat()];
};

/** A path as a person in `from` would write it. */
export const shownPath = (path: string, from: string): string => {
  const short = relative(from, path);
  return short.startsWith('..') ? path : short;
};
