// The Rego sources of a policy and their digest: what a built bundle is compared with.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import type { Opa } from '#policies/build/opa.ts';
import { type RegoRule, rulesOf } from '#policies/build/rego-rules.ts';

export type PolicySource = {
  /** Path below the source folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
};

/** Every `.rego` file below `directory` that is not a test, sorted by path. */
export const loadSources = async (directory: string): Promise<readonly PolicySource[]> => {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.rego') && !entry.name.endsWith('_test.rego'))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(directory, path), 'utf8') })),
  );
};

/** `sha256:…` over paths and texts; lengths are mixed in so that no two lists of files read alike. */
export const digestSources = (sources: readonly PolicySource[]): string => {
  const hash = createHash('sha256');
  for (const { path, text } of sources) hash.update(`${path}\n${Buffer.byteLength(text)}\n${text}\n`);
  return `sha256:${hash.digest('hex')}`;
};

/** The syntax tree of one file, with locations. @throws GatewayError `policy_failed` with what OPA said. */
export const parseModule = async (opa: Opa, path: string): Promise<JsonObject> =>
  JSON.parse(await opa(['parse', '--format', 'json', '--json-include', 'locations', path])) as JsonObject;

/** The rules of all sources below `directory`; `file` of each is its absolute path. */
export const parseRules = async (
  opa: Opa,
  directory: string,
  sources: readonly PolicySource[],
): Promise<readonly RegoRule[]> => {
  const modules = await Promise.all(sources.map(({ path }) => parseModule(opa, join(directory, path))));
  return modules.flatMap(rulesOf);
};
