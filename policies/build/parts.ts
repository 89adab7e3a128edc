// What goes into one policy: the platform's rules, an author's own, and the files of the library they use. Tests stay
// out.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { LIBRARY, type PolicyFolders } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';
import { loadSources, type PolicySource, parseRules } from '#policies/build/sources.ts';
import { usedLibrary } from '#policies/build/used-library.ts';

export type PolicyParts = {
  readonly rules: readonly RegoRule[];
  /** Paths begin with the part's name: `mcp/`, `lib/`, `rules/`. */
  readonly sources: readonly PolicySource[];
};

const under = (name: string, sources: readonly PolicySource[]): readonly PolicySource[] =>
  sources.map(({ path, text }) => ({ path: `${name}/${path}`, text }));

const libraryPath = (file: string): string => relative(LIBRARY, file).split(sep).join('/');

/** @throws GatewayError `policy_failed` for what OPA cannot parse. */
export const loadParts = async (opa: Opa, folders: PolicyFolders): Promise<PolicyParts> => {
  const own = folders.rules;
  const [platform, mine, library] = await Promise.all([
    loadSources(folders.sources),
    own === undefined ? [] : loadSources(own),
    loadSources(LIBRARY),
  ]);
  const [platformRules, myRules, libraryRules] = await Promise.all([
    parseRules(opa, folders.sources, platform),
    own === undefined ? [] : parseRules(opa, own, mine),
    parseRules(opa, LIBRARY, library),
  ]);
  const rules = [...platformRules, ...myRules];
  const used = usedLibrary(rules, libraryRules);
  const usedPaths = new Set([...used].map(libraryPath));
  return {
    rules: [...rules, ...libraryRules.filter(({ file }) => used.has(file))],
    sources: [
      ...under('mcp', platform),
      ...under(
        'lib',
        library.filter(({ path }) => usedPaths.has(path)),
      ),
      ...under('rules', mine),
    ],
  };
};

/**
 * Writes the parts below `workspace`, so that the names that end up in the module are the same on every machine.
 * @returns the folders to build, relative to it.
 */
export const stageParts = async (
  { sources }: PolicyParts,
  folders: PolicyFolders,
  workspace: string,
): Promise<readonly string[]> => {
  const isData = (path: string) => !path.endsWith('.rego');
  await cp(folders.sources, join(workspace, 'mcp'), { recursive: true, filter: isData });
  if (folders.rules !== undefined)
    await cp(folders.rules, join(workspace, 'rules'), { recursive: true, filter: isData });
  for (const { path, text } of sources) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), text);
  }
  return [...new Set(sources.map(({ path }) => path.split('/')[0] ?? ''))];
};
