// What is said to the thread that runs tenants' policies, and what it answers. Messages have numbers; they are answered
// in their order.

import type { JsonObject } from '#core/json.ts';

export type WorkerLimits = {
  readonly entrypoints: readonly string[];
  /** Of 64 KiB: where a runaway evaluation ends. */
  readonly maximumPages: number;
  /** Memory never shrinks; past this the instance is replaced. */
  readonly rebuildAboveBytes: number;
  /** Instances kept for policies that are not being asked. */
  readonly maxInstances: number;
  readonly maxAnswerLength: number;
  readonly maxFaultLength: number;
};

export type ToWorker = { readonly number: number; readonly id: string } & (
  | { readonly kind: 'load'; readonly wasm: Uint8Array; readonly data: JsonObject }
  | { readonly kind: 'ask'; readonly entrypoint: string; readonly input: string }
  | { readonly kind: 'drop' }
);

export type FromWorker = { readonly number: number } & (
  | { readonly kind: 'done' }
  | {
      readonly kind: 'answer';
      /** JSON, as opa-wasm gives it: a list of results. */
      readonly answer: string;
      /** Of the evaluation, in the thread. */
      readonly ms: number;
      readonly memoryBytes: number;
      /** The instance had grown too large and is gone. */
      readonly renewed: boolean;
    }
  | { readonly kind: 'fault'; readonly fault: string }
);
