// Example inputs with the answer they must get, shared by `opa eval`, the compiled module and the self-test every
// bundle passes before it serves. A vector is written as what differs from one base input.

import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

/** Those of the policy that comes with the product. */
export const DEFAULT_VECTORS = resolve(import.meta.dirname, '../vectors');

export type PolicyVector = {
  readonly title: string;
  /** The file it is written in; absolute. */
  readonly file: string;
  readonly entrypoint: 'mcp/authz/decision' | 'mcp/authz/visible';
  readonly input: JsonObject;
  readonly expected: Json;
  /** Travels with the bundle. */
  readonly selfTest: boolean;
};

/** JSON merge patch (RFC 7396): objects merge, null removes, everything else replaces. */
export const mergePatch = (base: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json> = isJsonObject(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
};

const readJson = async (path: string): Promise<Json> => JSON.parse(await readFile(path, 'utf8')) as Json;

const vectorFrom = (base: Json, written: Json, file: string): PolicyVector => {
  if (!isJsonObject(written) || !isJsonObject(written['patch'])) {
    throw new GatewayError('policy_failed', `${file}: a vector needs a title, a patch and an answer`);
  }
  const isDecision = written['decision'] !== undefined;
  const expected = isDecision ? written['decision'] : written['visible'];
  if (expected === undefined) throw new GatewayError('policy_failed', `${file}: a vector has no answer`);
  return {
    title: String(written['title']),
    file,
    entrypoint: isDecision ? 'mcp/authz/decision' : 'mcp/authz/visible',
    input: mergePatch(base, written['patch']) as JsonObject,
    expected,
    selfTest: written['selfTest'] === true,
  };
};

/**
 * All vectors in `directory`: `base.json` is the input they start from, every other file a list of
 * `{title, patch, decision | visible, selfTest?}`.
 */
export const loadVectors = async (directory: string): Promise<readonly PolicyVector[]> => {
  const base = await readJson(join(directory, 'base.json'));
  const files = (await readdir(directory))
    .filter((name) => name.endsWith('.json') && name !== 'base.json')
    .sort();
  const lists = await Promise.all(
    files.map(async (name) => {
      const file = join(directory, name);
      const written = await readJson(file);
      if (!Array.isArray(written)) throw new GatewayError('policy_failed', `${file}: expected a list`);
      return written.map((vector: Json) => vectorFrom(base, vector, file));
    }),
  );
  return lists.flat();
};
