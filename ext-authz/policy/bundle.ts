// Loads a built policy from disk: manifest and module beside each other, `x.json` and `x.wasm`. What does not match its
// digest or fails its self-test never becomes an engine.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { areRulesKnown } from '#ext-authz/policy/known-rules.ts';
import { ENTRYPOINTS, type PolicyManifest, parseManifest } from '#ext-authz/policy/manifest.ts';
import type { PolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { findFailedVectors } from '#ext-authz/policy/self-test.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { tryPolicy } from '#runtime/policy/try-policy.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';

/** The policy that comes with the product. */
export const DEFAULT_BUNDLE = join(import.meta.dirname, '../../policies/dist/default-policy.json');

/** Digits of the digest that name a policy in the decision log. */
const REVISION_DIGITS = 12;

export type BundleSource = {
  /** Changes when either file does; cheap enough to ask every other second. */
  fingerprint(): Promise<string>;
  /** A new, tested engine. @throws GatewayError `policy_failed`. */
  load(): Promise<PolicyEngine>;
};

const modulePath = (manifestPath: string): string => manifestPath.replace(/\.json$/, '.wasm');

const failed = (message: string): GatewayError => new GatewayError('policy_failed', message);

const read = async (path: string): Promise<Buffer> => {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw new GatewayError('policy_failed', `cannot read ${path}`, { cause: thrown });
  }
};

const readManifest = async (path: string): Promise<PolicyManifest> => {
  const manifest = parseManifest((await read(path)).toString('utf8'));
  if (!manifest.ok) throw failed(`${path}: ${manifest.error}`);
  return manifest.value;
};

const readModule = async (path: string, digest: string): Promise<Buffer> => {
  const wasm = await read(path);
  if (`sha256:${createHash('sha256').update(wasm).digest('hex')}` !== digest) {
    throw failed(`${path} is not the module its manifest describes`);
  }
  return wasm;
};

/** In a thread, because the largest inputs could keep this one busy. The default policy was tried when it was built. */
const assertQuick = async (path: string, policy: Parameters<typeof tryPolicy>[0]): Promise<void> => {
  const tried = await tryPolicy(policy);
  if (!tried.ok) throw failed(`${path} fails its self-test: ${tried.error}`);
};

const loadEngine = async (path: string, metrics: PolicyMetrics | undefined): Promise<PolicyEngine> => {
  const { name, wasmDigest, readsArguments, data, selfTest } = await readManifest(path);
  const wasm = await readModule(modulePath(path), wasmDigest);
  const module = loadPolicyModule(wasm, { data, entrypoints: ENTRYPOINTS });
  const revision = `${name}@${wasmDigest.slice(0, 'sha256:'.length + REVISION_DIGITS)}`;
  const wrong = findFailedVectors(
    createWasmEngine({ module, revision, readsArguments }),
    module.instantiate(),
    selfTest,
  );
  if (wrong.length > 0) throw failed(`${path} fails its self-test: ${wrong.join('; ')}`);
  if (path !== DEFAULT_BUNDLE) await assertQuick(path, { wasm, data });
  const rulesAreKnown = areRulesKnown(wasmDigest);
  return createWasmEngine({ module, revision, readsArguments, rulesAreKnown, metrics });
};

const fingerprintOf = async (path: string): Promise<string> => {
  const seen = await Promise.all([path, modulePath(path)].map((file) => stat(file, { bigint: true })));
  return seen.map(({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`).join(' ');
};

/** The bundle whose manifest is at `path`. */
export const createBundleSource = (path: string, metrics?: PolicyMetrics): BundleSource => ({
  fingerprint: () => fingerprintOf(path),
  load: async () => {
    try {
      return await loadEngine(path, metrics);
    } catch (thrown) {
      // opa-wasm throws plain strings, also from within a self-test.
      throw GatewayError.from(thrown, 'policy_failed');
    }
  },
});
