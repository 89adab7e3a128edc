// From Rego sources to a bundle: format, strict check, tests, purity of grants, WASM. The result is the same bytes for
// the same sources and OPA, so a test can rebuild the committed bundle and compare.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { readFromBundle } from '#policies/build/bundle-archive.ts';
import { findImpureGrants, readsArguments } from '#policies/build/grant-purity.ts';
import { type Opa, readOpaVersion } from '#policies/build/opa.ts';
import { type RegoRule, rulesOf } from '#policies/build/rego-rules.ts';
import { digestSources, loadSources, type PolicySource } from '#policies/build/sources.ts';
import { loadVectors } from '#policies/build/vectors.ts';

export const ENTRYPOINTS = ['mcp/authz/decision', 'mcp/authz/visible'] as const;

const HERE = join(import.meta.dirname, '..');
/** Builtins every instance of the module has without help; see README.md. */
export const CAPABILITIES = join(HERE, 'capabilities.json');
const INPUT_SCHEMA = join(HERE, 'input.schema.json');

export type BuildOptions = {
  readonly name: string;
  /** Folder of the Rego sources; absolute. */
  readonly sources: string;
  /** Folder of the vectors; absolute. */
  readonly vectors: string;
};

/** What is written beside the module; ext-authz believes nothing about a module that this does not say. */
export type BundleManifest = JsonObject & {
  readonly name: string;
  readonly sourcesDigest: string;
  readonly wasmDigest: string;
  readonly readsArguments: boolean;
};

export type BuiltBundle = { readonly wasm: Buffer; readonly manifest: BundleManifest };

/** The rules of all sources below `directory`. */
export const parseRules = async (
  opa: Opa,
  directory: string,
  sources: readonly PolicySource[],
): Promise<readonly RegoRule[]> => {
  const modules = await Promise.all(
    sources.map(({ path }) => opa(['parse', '--format', 'json', path], { directory })),
  );
  return modules.flatMap((text) => rulesOf(JSON.parse(text) as JsonObject));
};

const runChecks = async (opa: Opa, directory: string): Promise<void> => {
  await opa(['fmt', '--fail', '--list', directory]);
  await opa(['check', '--strict', '--capabilities', CAPABILITIES, '--schema', INPUT_SCHEMA, directory]);
  await opa(['test', directory]);
};

const compile = async (opa: Opa, directory: string): Promise<{ wasm: Buffer; data: JsonObject }> => {
  const workspace = await mkdtemp(join(tmpdir(), 'mcpgw-policy-'));
  try {
    const output = join(workspace, 'bundle.tar.gz');
    const entrypoints = ENTRYPOINTS.flatMap((entrypoint) => ['-e', entrypoint]);
    const limits = ['--capabilities', CAPABILITIES, '--ignore', '*_test.rego'];
    await opa(['build', '-t', 'wasm', ...entrypoints, ...limits, '-o', output, '.'], { directory });
    const archive = await readFile(output);
    const data = JSON.parse(readFromBundle(archive, '/data.json').toString('utf8')) as JsonObject;
    return { wasm: readFromBundle(archive, '/policy.wasm'), data };
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
};

/**
 * Checks, tests and compiles a policy.
 * @throws GatewayError `policy_failed` with what is wrong.
 */
export const buildBundle = async (opa: Opa, options: BuildOptions): Promise<BuiltBundle> => {
  await runChecks(opa, options.sources);
  const sources = await loadSources(options.sources);
  const rules = await parseRules(opa, options.sources, sources);
  const impure = findImpureGrants(rules);
  if (impure.length > 0) {
    throw new GatewayError(
      'policy_failed',
      `grant rules must not depend on the call's arguments:\n${impure.join('\n')}`,
    );
  }
  const { wasm, data } = await compile(opa, options.sources);
  const selfTest = (await loadVectors(options.vectors)).filter((vector) => vector.selfTest);
  const manifest = {
    name: options.name,
    sourcesDigest: digestSources(sources),
    wasmDigest: `sha256:${createHash('sha256').update(wasm).digest('hex')}`,
    opaVersion: await readOpaVersion(opa),
    entrypoints: [...ENTRYPOINTS],
    readsArguments: readsArguments(rules),
    data,
    selfTest: selfTest.map(({ title, entrypoint, input, expected }) => ({
      title,
      entrypoint,
      input,
      expected,
    })),
  };
  return { wasm, manifest };
};
