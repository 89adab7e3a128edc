// The texts that wait for one plug-in, and the process that looks through them, started anew when it is lost. What
// cannot be looked through now is refused at once: no answer waits for a plug-in that is not there.

import { err, ok, type Result } from '#core/result.ts';
import type { DetectorOptions, Finding } from '#ext-proc/sanitation/detector.ts';
import type { Plugin } from '#ext-proc/sanitation/plugins/find-plugins.ts';
import type { Reply } from '#ext-proc/sanitation/plugins/frames.ts';
import type { PluginMeasures, ScanOutcome } from '#ext-proc/sanitation/plugins/plugin-measures.ts';
import {
  type PluginLimits,
  type PluginProcess,
  type ProcessEnd,
  startPluginProcess,
} from '#ext-proc/sanitation/plugins/plugin-process.ts';
import { fromWireFindings } from '#ext-proc/sanitation/plugins/wire-findings.ts';

/** Texts that wait; one more would be answered too late for Envoy. */
const MAX_WAITING = 64;

/** The first loss costs a start and no more; from the second on within this time it is waited, twice as long each time. */
const HEALTHY_MS = 10_000;
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 10_000;

/** Told in readiness facts. `resting`: lost too often; it is started again in a while. */
export type LineState = 'starting' | 'ready' | 'resting' | 'stopped';

type Settled = Result<readonly Finding[], ScanOutcome>;

type Waiting = {
  readonly text: string;
  readonly options: DetectorOptions;
  readonly settle: (outcome: Settled) => void;
};

export type PluginLine = {
  /** Starts it for the first time. @returns why it cannot be loaded. */
  start(): Promise<Result<true, string>>;
  /** Rejects with an error that names outcome and plug-in. */
  scan(text: string, options: DetectorOptions): Promise<readonly Finding[]>;
  facts(): { readonly state: LineState; readonly restarts: number };
  stop(): void;
};

const restFor = (losses: number): number =>
  losses <= 1 ? 0 : Math.min(FIRST_REST_MS * 2 ** (losses - 2), LONGEST_REST_MS);

/** Why a process could not be loaded: in a word, and in a sentence for the operator, whose code it is. */
type LoadFault = { readonly outcome: ProcessEnd | 'unloadable'; readonly why: string };

const LOAD_FAULTS: Readonly<Record<ProcessEnd, string>> = {
  overdue: 'it is not loaded in time',
  memory: 'it takes more memory than EXT_PROC_PLUGIN_MEMORY_MIB while it is loaded',
  forged: 'it writes to the channel of the gateway',
  crashed: 'its process ended while it was loaded',
};

const loadFault = (loaded: Result<Reply, ProcessEnd>): LoadFault => {
  if (!loaded.ok) return { outcome: loaded.error, why: LOAD_FAULTS[loaded.error] };
  if (loaded.value.kind === 'unloadable') return { outcome: 'unloadable', why: loaded.value.why };
  return { outcome: 'forged', why: LOAD_FAULTS.forged };
};

class Line implements PluginLine {
  readonly #plugin: Plugin;
  readonly #limits: PluginLimits;
  readonly #measures: PluginMeasures;
  #state: LineState = 'starting';
  #process: PluginProcess | undefined;
  #waiting: Waiting[] = [];
  #running = false;
  #readyAtMs = 0;
  /** In a row. */
  #losses = 0;
  #restarts = 0;
  #rest: NodeJS.Timeout | undefined;

  constructor(plugin: Plugin, limits: PluginLimits, measures: PluginMeasures) {
    this.#plugin = plugin;
    this.#limits = limits;
    this.#measures = measures;
  }

  async start(): Promise<Result<true, string>> {
    const launched = await this.#launch();
    if (launched.ok) return launched;
    this.stop();
    return err(launched.error.why);
  }

  async scan(text: string, options: DetectorOptions): Promise<readonly Finding[]> {
    if (text === '') return [];
    const settled = await this.#enter(text, options);
    if (settled.ok) return settled.value;
    throw new Error(`plug-in ${this.#plugin.name}: ${settled.error}`);
  }

  facts() {
    return { state: this.#state, restarts: this.#restarts };
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#rest);
    this.#process?.kill();
    this.#refuseWaiting();
  }

  #enter(text: string, options: DetectorOptions): Promise<Settled> {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#measures.scanned(this.#plugin.name, refusal);
      return Promise.resolve(err(refusal));
    }
    return new Promise((settle) => {
      this.#waiting.push({ text, options, settle });
      void this.#work();
    });
  }

  #refusal(): ScanOutcome | undefined {
    if (this.#state === 'resting' || this.#state === 'stopped') return 'away';
    return this.#waiting.length >= MAX_WAITING ? 'busy' : undefined;
  }

  /** One text after another, as long as there are any and somebody to look through them. */
  async #work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#state === 'ready' && this.#process !== undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next.settle(await this.#put(this.#process, next));
    }
    this.#running = false;
  }

  async #put(process: PluginProcess, { text, options }: Waiting): Promise<Settled> {
    const { name, kinds } = this.#plugin;
    const startedAtMs = performance.now();
    const replied = await process.ask(text, options);
    const settled = replied.ok ? this.#judge(replied.value, { text, kinds }) : err(replied.error);
    const outcome = settled.ok ? 'ok' : settled.error;
    this.#measures.scanned(name, outcome, (performance.now() - startedAtMs) / 1000);
    return settled;
  }

  #judge(reply: Reply, scanned: { readonly text: string; readonly kinds: readonly string[] }): Settled {
    if (reply.kind === 'threw') return err('threw');
    const findings = reply.kind === 'findings' ? fromWireFindings(reply.findings, scanned) : undefined;
    return findings === undefined ? err('malformed') : ok(findings);
  }

  async #launch(): Promise<Result<true, LoadFault>> {
    this.#state = 'starting';
    const process = startPluginProcess(this.#plugin, this.#limits, (end) => {
      if (this.#state === 'ready') this.#lost(end);
    });
    this.#process = process;
    const loaded = await process.loaded;
    if (loaded.ok && loaded.value.kind === 'loaded') {
      this.#state = 'ready';
      this.#readyAtMs = performance.now();
      void this.#work();
      return ok(true);
    }
    process.kill();
    return err(loadFault(loaded));
  }

  async #relaunch(): Promise<void> {
    // A machine that has no process left to give throws; it may have one in a while.
    const launched = await this.#launch().catch(() => err(loadFault(err('crashed'))));
    if (!launched.ok && !this.#isStopped()) this.#lost(launched.error.outcome);
  }

  // The state may have changed while the start was awaited, which the compiler does not see.
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #lost(outcome: LoadFault['outcome']): void {
    if (performance.now() - this.#readyAtMs > HEALTHY_MS) this.#losses = 0;
    this.#losses += 1;
    this.#restarts += 1;
    const restartMs = restFor(this.#losses);
    this.#measures.lost(this.#plugin.name, outcome, restartMs);
    if (restartMs === 0) {
      void this.#relaunch();
      return;
    }
    this.#state = 'resting';
    this.#refuseWaiting();
    this.#rest = setTimeout(() => void this.#relaunch(), restartMs).unref();
  }

  #refuseWaiting(): void {
    for (const { settle } of this.#waiting.splice(0)) {
      this.#measures.scanned(this.#plugin.name, 'away');
      settle(err('away'));
    }
  }
}

/** @returns the line of a plug-in that was found; nothing runs before `start`. */
export const createPluginLine = (
  plugin: Plugin,
  limits: PluginLimits,
  measures: PluginMeasures,
): PluginLine => new Line(plugin, limits, measures);
