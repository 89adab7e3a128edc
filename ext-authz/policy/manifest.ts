// The file beside a compiled policy that says what it is and how it must answer. Written by policies/build.ts; read
// here as untrusted. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export const ENTRYPOINTS = ['mcp/authz/decision', 'mcp/authz/visible'] as const;

export type SelfTestVector = {
  readonly title: string;
  readonly entrypoint: (typeof ENTRYPOINTS)[number];
  readonly input: JsonObject;
  readonly expected: Json;
};

export type PolicyManifest = {
  readonly name: string;
  /** `sha256:` and the hex digest of the module. */
  readonly wasmDigest: string;
  readonly readsArguments: boolean;
  /** What the bundle ships beside its rules. */
  readonly data: JsonObject;
  readonly selfTest: readonly SelfTestVector[];
};

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const readVector = (value: Json): SelfTestVector | undefined => {
  if (!isJsonObject(value)) return undefined;
  const { title, input, expected } = value;
  const entrypoint = ENTRYPOINTS.find((known) => known === value['entrypoint']);
  if (typeof title !== 'string' || entrypoint === undefined) return undefined;
  return isJsonObject(input) && expected !== undefined ? { title, entrypoint, input, expected } : undefined;
};

const expectsAllow = ({ expected }: SelfTestVector, allow: boolean): boolean =>
  isJsonObject(expected) && expected['allow'] === allow;

const readSelfTest = (value: Json | undefined): Result<readonly SelfTestVector[], string> => {
  if (!Array.isArray(value)) return err('selfTest is not a list');
  const vectors = value.map((vector: Json) => readVector(vector)).filter((vector) => vector !== undefined);
  if (vectors.length !== value.length) return err('selfTest holds a vector of unknown shape');
  // A policy that was never seen to refuse, or never to allow, has not been tested.
  const seen = (allow: boolean) => vectors.some((vector) => expectsAllow(vector, allow));
  return seen(true) && seen(false) ? ok(vectors) : err('selfTest needs an allow and a refusal');
};

/** Reads the manifest's text; the error names what is wrong with it. */
export const parseManifest = (text: string): Result<PolicyManifest, string> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('the manifest is not JSON');
  }
  if (!isJsonObject(value)) return err('the manifest is not an object');
  const { name, wasmDigest, readsArguments, data } = value;
  if (typeof name !== 'string' || name === '') return err('name is missing');
  if (typeof wasmDigest !== 'string' || !DIGEST.test(wasmDigest)) return err('wasmDigest is missing');
  if (typeof readsArguments !== 'boolean') return err('readsArguments is missing');
  if (!isJsonObject(data)) return err('data is missing');
  const selfTest = readSelfTest(value['selfTest']);
  return selfTest.ok ? ok({ name, wasmDigest, readsArguments, data, selfTest: selfTest.value }) : selfTest;
};
