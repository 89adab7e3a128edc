// The near end of a plug-in's process. A thread would not do: one that fills its heap neither stops at its limit nor
// can be ended (decision 055). A process can: it is killed, and takes its memory along.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { err, ok, type Result } from '#core/result.ts';
import type { DetectorOptions } from '#ext-proc/sanitation/detector.ts';
import type { Plugin } from '#ext-proc/sanitation/plugins/find-plugins.ts';
import {
  encodeQuestion,
  MAX_REPLY_BYTES,
  type Reply,
  readReply,
} from '#ext-proc/sanitation/plugins/frames.ts';

/**
 * What took a process down. `overdue`: it did not answer in time. `memory`: it grew beyond its limit. `forged`: it sent
 * what is no answer of the host's, or sent unasked. `crashed`: it ended by itself.
 */
export type ProcessEnd = 'overdue' | 'memory' | 'forged' | 'crashed';

export type PluginLimits = {
  /** Of one scan. */
  readonly timeoutMs: number;
  /** Of the process as a whole. */
  readonly memoryMib: number;
};

/** Modules are read and run; a machine under load takes seconds for a large one. */
const LOAD_TIMEOUT_MS = 10_000;

/** How often a process that works is measured: what it can take meanwhile is some hundred megabytes. */
const MEASURE_MS = 50;

const HOST = join(import.meta.dirname, 'plugin-host.ts');
const SOURCES = join(import.meta.dirname, '../../..');

/** What the host is made of, beside Node itself. */
const READABLE = ['package.json', 'core', 'ext-proc/sanitation'].map((part) => join(SOURCES, part));

const NODE_MODULES = /^.*[\\/]node_modules(?=[\\/])/;

/** A package may need those it lies among. */
const readableFor = ({ folder }: Plugin): readonly string[] => [
  folder,
  ...(NODE_MODULES.exec(folder) ?? []),
  ...READABLE,
];

const argumentsFor = (plugin: Plugin, { memoryMib }: PluginLimits): readonly string[] => [
  '--permission',
  ...readableFor(plugin).map((path) => `--allow-fs-read=${path}`),
  // JavaScript's part; buffers are measured from outside.
  `--max-old-space-size=${Math.floor(memoryMib / 2)}`,
  '--max-semi-space-size=8',
  '--no-warnings',
  HOST,
  plugin.entry,
  ...plugin.kinds,
];

/** Resident memory in MiB as Linux tells it; undefined elsewhere, and of a process that is gone. */
const residentMib = (pid: number): number | undefined => {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
};

// A machine without memory takes the plug-in before the gateway, and what it leaves behind holds no text of an answer.
const yieldFirst = (pid: number): void => {
  for (const [name, value] of [
    ['oom_score_adj', '1000'],
    ['coredump_filter', '0'],
  ] as const) {
    try {
      writeFileSync(`/proc/${pid}/${name}`, value);
    } catch {
      // Linux has it; elsewhere the limits above are all there is.
    }
  }
};

export type PluginProcess = {
  /** What it said when it was loaded. */
  readonly loaded: Promise<Result<Reply, ProcessEnd>>;
  /** Puts one text, when the one before was answered. */
  ask(text: string, options: DetectorOptions): Promise<Result<Reply, ProcessEnd>>;
  kill(): void;
};

type Settle = (outcome: Result<Reply, ProcessEnd>) => void;

class Process implements PluginProcess {
  readonly loaded: Promise<Result<Reply, ProcessEnd>>;
  readonly #limits: PluginLimits;
  readonly #onEnd: (end: ProcessEnd) => void;
  readonly #child: ChildProcess;
  readonly #channel: Duplex | undefined;
  readonly #measuring: NodeJS.Timeout;
  #settle: Settle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #received = Buffer.alloc(0);
  /** It has worked since it was last measured. */
  #worked = true;
  #ended = false;

  constructor(plugin: Plugin, limits: PluginLimits, onEnd: (end: ProcessEnd) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#child = spawn(process.execPath, argumentsFor(plugin, limits), {
      cwd: dirname(plugin.entry),
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.#child.on('error', () => this.#end('crashed'));
    this.#child.on('exit', () => this.#end('crashed'));
    // Where descriptors have run out there is no channel; an error follows that says so.
    this.#channel = (this.#child.stdio as ChildProcess['stdio'] | undefined)?.[3] as Duplex | undefined;
    this.#channel?.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#channel?.on('error', () => undefined);
    if (this.#child.pid !== undefined) yieldFirst(this.#child.pid);
    this.#measuring = setInterval(() => this.#measure(), MEASURE_MS).unref();
    this.loaded = this.#expect(LOAD_TIMEOUT_MS);
  }

  ask(text: string, options: DetectorOptions): Promise<Result<Reply, ProcessEnd>> {
    if (this.#ended) return Promise.resolve(err('crashed'));
    const reply = this.#expect(this.#limits.timeoutMs);
    this.#channel?.write(encodeQuestion(text, options));
    return reply;
  }

  kill(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearInterval(this.#measuring);
    this.#child.kill('SIGKILL');
    this.#channel?.destroy();
  }

  #expect(timeoutMs: number): Promise<Result<Reply, ProcessEnd>> {
    this.#worked = true;
    return new Promise((settle) => {
      this.#settle = settle;
      // An answer that has come already counts: it is the gateway that was late then.
      this.#timer = setTimeout(() => setImmediate(() => this.#expire(settle)), timeoutMs);
    });
  }

  #expire(settle: Settle): void {
    if (this.#settle === settle) this.#end('overdue');
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return;
    this.#received = Buffer.concat([this.#received, bytes]);
    const isWanted = this.#settle !== undefined && this.#received.length <= MAX_REPLY_BYTES;
    const reply = isWanted ? readReply(this.#received) : 'wrong';
    if (reply === 'partial') return;
    this.#received = Buffer.alloc(0);
    if (reply === 'wrong') this.#end('forged');
    else this.#finish(ok(reply));
  }

  #finish(outcome: Result<Reply, ProcessEnd>): void {
    clearTimeout(this.#timer);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }

  #measure(): void {
    const { pid } = this.#child;
    if (!this.#worked || pid === undefined) return;
    this.#worked = this.#settle !== undefined;
    if ((residentMib(pid) ?? 0) > this.#limits.memoryMib) this.#end('memory');
  }

  #end(end: ProcessEnd): void {
    if (this.#ended) return;
    this.kill();
    this.#finish(err(end));
    this.#onEnd(end);
  }
}

/**
 * Starts a process and loads the plug-in in it.
 * @param onEnd hears once that the process is gone, unless it was killed by `kill`.
 */
export const startPluginProcess = (
  plugin: Plugin,
  limits: PluginLimits,
  onEnd: (end: ProcessEnd) => void,
): PluginProcess => new Process(plugin, limits, onEnd);
