// From Rego sources to a bundle: everything policy:check looks at but coverage, then WASM. The result is the same bytes
// for the same sources and OPA, so a test can rebuild the committed bundle and compare.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { readFromBundle } from '#policies/build/bundle-archive.ts';
import { faultLine } from '#policies/build/fault.ts';
import { CAPABILITIES, type PolicyFolders } from '#policies/build/folders.ts';
import { readsArguments } from '#policies/build/grant-purity.ts';
import { type Opa, readOpaVersion } from '#policies/build/opa.ts';
import { type PolicyParts, stageParts } from '#policies/build/parts.ts';
import { digestSources } from '#policies/build/sources.ts';
import { loadVectors, type PolicyVector } from '#policies/build/vectors.ts';
import { checkPolicy } from '#policies/check/check-policy.ts';

export const ENTRYPOINTS = ['mcp/authz/decision', 'mcp/authz/visible'] as const;

export type BuildOptions = PolicyFolders & {
  readonly name: string;
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

export type BuiltBundle = {
  readonly wasm: Buffer;
  /** The same as OPA packs it: what a tenant uploads. */
  readonly archive: Buffer;
  readonly manifest: BundleManifest;
  /** What the author should know and need not change. */
  readonly notes: readonly string[];
};

const compile = async (
  opa: Opa,
  folders: PolicyFolders,
  parts: PolicyParts,
): Promise<{ wasm: Buffer; data: JsonObject; archive: Buffer }> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-policy-'));
  try {
    const staged = await stageParts(parts, folders, directory);
    const entrypoints = ENTRYPOINTS.flatMap((entrypoint) => ['-e', entrypoint]);
    const output = join(directory, 'bundle.tar.gz');
    const args = ['build', '-t', 'wasm', ...entrypoints, '--capabilities', CAPABILITIES, '-o', output];
    await opa([...args, ...staged], { directory });
    const archive = await readFile(output);
    const data = JSON.parse(readFromBundle(archive, '/data.json').toString('utf8')) as JsonObject;
    return { wasm: readFromBundle(archive, '/policy.wasm'), data, archive };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** @throws GatewayError `policy_failed` with every fault on a line of its own. */
const checked = async (opa: Opa, folders: PolicyFolders, vectors: readonly PolicyVector[]) => {
  const { faults, sound } = await checkPolicy(opa, { folders, vectors });
  if (faults.length === 0 && sound !== undefined) return sound;
  throw new GatewayError('policy_failed', faults.map(faultLine).join('\n'));
};

/**
 * Checks, tests and compiles a policy.
 * @throws GatewayError `policy_failed` with what is wrong.
 */
export const buildBundle = async (opa: Opa, options: BuildOptions): Promise<BuiltBundle> => {
  const { name, sources, rules } = options;
  const folders = { sources, rules };
  const asked = (await loadVectors(options.vectors)).filter((vector) => vector.selfTest);
  const { parts, vectors, notes } = await checked(opa, folders, asked);
  const { wasm, data, archive } = await compile(opa, folders, parts);
  const manifest = {
    name,
    sourcesDigest: digestSources(parts.sources),
    wasmDigest: `sha256:${createHash('sha256').update(wasm).digest('hex')}`,
    opaVersion: await readOpaVersion(opa),
    entrypoints: [...ENTRYPOINTS],
    readsArguments: readsArguments(parts.rules),
    data,
    selfTest: vectors.map(({ title, entrypoint, input, expected }) => ({
      title,
      entrypoint,
      input,
      expected,
    })),
  };
  return { wasm, archive, manifest, notes };
};
