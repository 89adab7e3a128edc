// A compiled policy as WebAssembly: compiled once, instantiated as often as needed. This is the only file that touches
// opa-wasm. A module that wants functions nobody has is refused when it is loaded, not when a call first needs one.

import { createRequire } from 'node:module';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';

export type PolicyInstance = {
  /** `input` is JSON. Answers are read as untrusted. May throw anything, plain strings included. */
  evaluate(input: string, entrypoint: string): unknown;
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

const PAGE_BYTES = 64 * 1024;

/** First minor version of OPA's WASM ABI that has `opa_eval`; opa has built nothing older since 0.28 (2021). */
const ABI_WITH_EVAL = 2;

/** The answer as JSON; the other format is a Rego term. */
const AS_JSON = 0;

type Exports = {
  builtins(): number;
  opa_json_dump(address: number): number;
  /** One whole evaluation (OPA, "WebAssembly: Evaluation"): parses the input, judges, writes the answer; its address. */
  opa_eval(
    reserved: 0,
    entrypoint: number,
    data: number,
    input: number,
    inputLength: number,
    heap: number,
    format: number,
  ): number;
};
type Loaded = {
  readonly minorVersion: number;
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly wasmInstance: { readonly exports: Exports };
  /** Where the parsed data lies, and where what follows it may be written over by every evaluation. */
  readonly dataAddr: number;
  readonly dataHeapPtr: number;
  setData(data: JsonObject): void;
};

// The package's own types need the DOM's, which a server has no business to know; so they are written down here.
const { loadPolicySync } = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as {
  loadPolicySync(module: object, memory: { initial: number; maximum: number }): Loaded;
};
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };
};

/** Text in the module's memory up to its zero byte. */
const textAt = (memory: Buffer, address: number): string =>
  memory.toString('utf8', address, memory.indexOf(0, address));

/** Names of the functions the module expects of its host (`builtins` of OPA's WASM ABI). */
const hostFunctions = ({ wasmInstance, mem }: Loaded): readonly string[] => {
  const address = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  return Object.keys(JSON.parse(textAt(Buffer.from(mem.buffer), address)) as object);
};

const assertSound = (loaded: Loaded, entrypoints: readonly string[]): void => {
  if (!(loaded.minorVersion >= ABI_WITH_EVAL))
    throw new GatewayError('policy_failed', 'the policy was built by an opa that is too old');
  const wanted = hostFunctions(loaded);
  if (wanted.length > 0) {
    throw new GatewayError('policy_failed', `the policy uses what WASM lacks: ${wanted.join(', ')}`);
  }
  const missing = entrypoints.filter((name) => !Object.hasOwn(loaded.entrypoints, name));
  if (missing.length > 0) throw new GatewayError('policy_failed', `the policy lacks ${missing.join(', ')}`);
};

/**
 * What opa-wasm's own `evaluate` does, without its copies of the input and its way to the end of the answer, byte by byte.
 */
const createInstance = (loaded: Loaded): PolicyInstance => {
  const { mem, entrypoints } = loaded;
  const { opa_eval } = loaded.wasmInstance.exports;
  // Memory that grew is a new buffer, and the old one is empty.
  let memory = Buffer.from(mem.buffer);
  const current = (): Buffer => {
    if (memory.buffer !== mem.buffer) memory = Buffer.from(mem.buffer);
    return memory;
  };
  const reserve = (end: number): void => {
    const missing = end - mem.buffer.byteLength;
    if (missing > 0) mem.grow(Math.ceil(missing / PAGE_BYTES));
  };
  return {
    evaluate: (input, name) => {
      const entrypoint = Object.hasOwn(entrypoints, name) ? entrypoints[name] : undefined;
      if (entrypoint === undefined) throw new GatewayError('policy_failed', `the policy lacks ${name}`);
      const { dataAddr, dataHeapPtr: start } = loaded;
      const length = Buffer.byteLength(input);
      const end = start + length;
      reserve(end);
      current().write(input, start, length);
      const answer = opa_eval(0, entrypoint, dataAddr, start, length, end, AS_JSON);
      return JSON.parse(textAt(current(), answer));
    },
    memoryBytes: () => mem.buffer.byteLength,
  };
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
      return createInstance(loaded);
    },
  };
};
