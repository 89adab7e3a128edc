// The near end of the thread that runs tenants' policies. What takes too long, or takes the thread down, is answered
// with a fault; the thread is replaced, and what the others had asked is asked again: they notice a pause.

import { Worker } from 'node:worker_threads';
import type { Json, JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { FromWorker, ToWorker, WorkerLimits } from '#runtime/policy/worker-message.ts';

export const ENTRYPOINTS = ['mcp/authz/decision', 'mcp/authz/visible'] as const;
export type Entrypoint = (typeof ENTRYPOINTS)[number];

const LIMITS: WorkerLimits = {
  entrypoints: ENTRYPOINTS,
  // 32 MiB. The default policy needs 2 for the largest input.
  maximumPages: 512,
  rebuildAboveBytes: 8 * 1024 * 1024,
  maxInstances: 100,
  // A thousand names of tools, prompts and resources each.
  maxAnswerLength: 1024 * 1024,
  maxFaultLength: 200,
};

/**
 * Of JavaScript in the thread, which is ours: answers that are read there. Node does not keep to these under everything a
 * thread can do (decision 055), so nothing rests on them: what strangers' code may take is bounded by the pages of its module,
 * and an answer cannot be larger than those.
 */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/** Questions under way; more are refused, because the answers would come too late. */
const MAX_WAITING = 2_000;

const WORKER = new URL('./policy-worker.ts', import.meta.url);

/**
 * `threw`: the policy failed this question, and its instance was replaced. `overdue`: it did not end in time.
 * `crashed`: the thread ended under it. `busy`: too many others are waiting. `stopped`: by the caller.
 */
export type PolicyFault = {
  readonly kind: 'threw' | 'overdue' | 'crashed' | 'busy' | 'stopped';
  readonly message: string;
};

export type PolicyAnswer = {
  /** As opa-wasm gives it: a list of results. */
  readonly results: Json;
  /** Of the evaluation alone. */
  readonly ms: number;
  readonly memoryBytes: number;
  readonly renewed: boolean;
};

type Replied = Exclude<FromWorker, { kind: 'fault' }>;

type Request = {
  readonly message: ToWorker;
  readonly settle: (outcome: Result<Replied, PolicyFault>) => void;
};

/** What can be put to the thread: a message without its number. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'number'> : never;

export type PolicyThread = {
  /** Compiles a policy and makes its first instance; the error says what it lacks. Replaces one of the same id. */
  load(
    id: string,
    policy: { readonly wasm: Uint8Array; readonly data: JsonObject },
  ): Promise<Result<true, PolicyFault>>;
  /** Puts one question. `input` is JSON. Never rejects. */
  ask(id: string, entrypoint: Entrypoint, input: string): Promise<Result<PolicyAnswer, PolicyFault>>;
  drop(id: string): void;
  /** Questions without an answer yet. */
  waiting(): number;
  stop(): Promise<void>;
};

class Thread implements PolicyThread {
  readonly #limitMs: number;
  /** What a new thread must load; the last of each id. */
  readonly #loads = new Map<string, Unnumbered<ToWorker & { kind: 'load' }>>();
  /** Started by the first message, and after a loss by the next one. */
  #worker: Worker | undefined;
  /** In the order in which they are answered. */
  #requests = new Map<number, Request>();
  #lastNumber = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  async load(id: string, { wasm, data }: { readonly wasm: Uint8Array; readonly data: JsonObject }) {
    const message = { kind: 'load', id, wasm, data } as const;
    const loaded = await this.#put(message);
    if (!loaded.ok) return loaded;
    this.#loads.set(id, message);
    return ok(true as const);
  }

  async ask(id: string, entrypoint: Entrypoint, input: string): Promise<Result<PolicyAnswer, PolicyFault>> {
    const replied = await this.#put({ kind: 'ask', id, entrypoint, input });
    if (!replied.ok) return replied;
    if (replied.value.kind !== 'answer') return err({ kind: 'threw', message: 'no answer' });
    const { answer, ms, memoryBytes, renewed } = replied.value;
    return ok({ results: JSON.parse(answer) as Json, ms, memoryBytes, renewed });
  }

  drop(id: string): void {
    this.#loads.delete(id);
    void this.#put({ kind: 'drop', id });
  }

  waiting(): number {
    return this.#requests.size;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const left = [...this.#requests.values()];
    this.#requests = new Map();
    for (const { settle } of left) settle(err({ kind: 'stopped', message: 'stopped' }));
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(WORKER, {
      workerData: LIMITS,
      resourceLimits: HEAP,
      env: {},
      execArgv: [],
      // A module can print; what it prints is nobody's.
      stdout: true,
      stderr: true,
    });
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on('message', (message: FromWorker) => this.#answered(worker, message));
    worker.on('error', () =>
      this.#lost(worker, { kind: 'crashed', message: 'the thread ran out of memory or failed' }),
    );
    worker.on('exit', () => this.#lost(worker, { kind: 'crashed', message: 'the thread ended' }));
    worker.unref();
    return worker;
  }

  #put(message: Unnumbered<ToWorker>): Promise<Result<Replied, PolicyFault>> {
    if (this.#stopped) return Promise.resolve(err({ kind: 'stopped', message: 'stopped' }));
    if (this.#requests.size >= MAX_WAITING)
      return Promise.resolve(err({ kind: 'busy', message: `${MAX_WAITING} questions are waiting` }));
    return new Promise((settle) => this.#post(this.#running(), message, settle));
  }

  #post(worker: Worker, message: Unnumbered<ToWorker>, settle: Request['settle']): void {
    this.#lastNumber += 1;
    const request = { message: { ...message, number: this.#lastNumber } as ToWorker, settle };
    this.#requests.set(this.#lastNumber, request);
    worker.postMessage(request.message);
    if (this.#requests.size === 1) this.#watch();
  }

  /** The thread, with everything loaded that was. */
  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#start();
    this.#worker = worker;
    for (const message of this.#loads.values()) this.#post(worker, message, () => undefined);
    return worker;
  }

  /** The first in line is the one that runs: its time begins when the one before it was answered. */
  #watch(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (this.#requests.size === 0 || worker === undefined) return;
    const fault = { kind: 'overdue', message: `no answer within ${this.#limitMs} ms` } as const;
    this.#timer = setTimeout(() => this.#lost(worker, fault), this.#limitMs);
  }

  #answered(worker: Worker, message: FromWorker): void {
    const request = this.#requests.get(message.number);
    if (worker !== this.#worker || request === undefined) return;
    this.#requests.delete(message.number);
    this.#watch();
    request.settle(message.kind === 'fault' ? err({ kind: 'threw', message: message.fault }) : ok(message));
  }

  #lost(worker: Worker, fault: PolicyFault): void {
    if (worker !== this.#worker || this.#stopped) return;
    clearTimeout(this.#timer);
    const [first, ...others] = this.#requests.values();
    this.#requests = new Map();
    this.#worker = undefined;
    void worker.terminate();
    for (const { message, settle } of others) void this.#put(message).then(settle);
    first?.settle(err(fault));
  }
}

/**
 * Starts a thread.
 * @param limitMs how long one message may take; what takes longer costs the thread.
 */
export const startPolicyThread = (limitMs: number): PolicyThread => new Thread(limitMs);
