// A compiled policy as WebAssembly: compiled once, instantiated as often as needed. This is the only file that touches
// opa-wasm. A module that wants functions nobody has is refused when it is loaded, not when a call first needs one.

import { createRequire } from 'node:module';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';

export type PolicyInstance = {
  /** Answers are read as untrusted. May throw anything, plain strings included. */
  evaluate(input: ArrayBuffer, entrypoint: string): unknown;
  /** Size of the instance's memory, which never shrinks; bytes. */
  memoryBytes(): number;
};

export type PolicyModule = {
  /** A fresh instance with the bundle's data. @throws whatever opa-wasm throws. */
  instantiate(): PolicyInstance;
};

/** Memory comes in pages of 64 KiB; this is opa-wasm's own default. */
const INITIAL_PAGES = 5;
/** 64 MiB, where a runaway evaluation ends: it throws, and the call is refused. */
const MAXIMUM_PAGES = 1024;

type Exports = { builtins(): number; opa_json_dump(address: number): number };
type Loaded = {
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly mem: { readonly buffer: ArrayBuffer };
  readonly wasmInstance: { readonly exports: Exports };
  evaluate(input: ArrayBuffer, entrypoint: string): unknown;
  setData(data: JsonObject): void;
};

// The package's own types need the DOM's, which a server has no business to know; so they are written down here.
const { loadPolicySync } = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as {
  loadPolicySync(module: object, memory: { initial: number; maximum: number }): Loaded;
};
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };
};

/** Names of the functions the module expects of its host (`builtins` of OPA's WASM ABI). */
const hostFunctions = ({ wasmInstance, mem }: Loaded): readonly string[] => {
  const address = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  const memory = Buffer.from(mem.buffer);
  return Object.keys(JSON.parse(memory.toString('utf8', address, memory.indexOf(0, address))) as object);
};

const assertSound = (loaded: Loaded, entrypoints: readonly string[]): void => {
  const wanted = hostFunctions(loaded);
  if (wanted.length > 0) {
    throw new GatewayError('policy_failed', `the policy uses what WASM lacks: ${wanted.join(', ')}`);
  }
  const missing = entrypoints.filter((name) => !Object.hasOwn(loaded.entrypoints, name));
  if (missing.length > 0) throw new GatewayError('policy_failed', `the policy lacks ${missing.join(', ')}`);
};

/**
 * Compiles a module and proves on a first instance that it can run.
 * @throws GatewayError `policy_failed` if it is no OPA policy, lacks an entrypoint, or needs host functions.
 */
export const loadPolicyModule = (
  wasm: Uint8Array,
  options: {
    readonly data: JsonObject;
    readonly entrypoints: readonly string[];
    /** Of 64 KiB: where a runaway evaluation ends, by throwing. */
    readonly maximumPages?: number;
  },
): PolicyModule => {
  const compile = () => {
    const module = new WebAssembly.Module(wasm);
    const memory = { initial: INITIAL_PAGES, maximum: options.maximumPages ?? MAXIMUM_PAGES };
    const load = () => loadPolicySync(module, memory);
    assertSound(load(), options.entrypoints);
    return load;
  };
  let load: () => Loaded;
  try {
    load = compile();
  } catch (thrown) {
    throw GatewayError.from(thrown, 'policy_failed');
  }
  return {
    instantiate: () => {
      const loaded = load();
      loaded.setData(options.data);
      return {
        evaluate: (input, entrypoint) => loaded.evaluate(input, entrypoint),
        memoryBytes: () => loaded.mem.buffer.byteLength,
      };
    },
  };
};
