// A program that is kept running: started, watched, started again when it ends by itself. While a file of its name
// lies in the hold directory it stays down, which is how an operator (or a test) takes one part away.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextWait } from '#provision/processes/backoff.ts';
import { type Child, startChild } from '#provision/processes/child.ts';
import { lastWords, logOffset } from '#provision/processes/log-file.ts';
import { waitUntil } from '#provision/processes/readiness.ts';
import type { ProgramUnit } from '#provision/processes/unit.ts';
import type { Environment } from '#runtime/config.ts';

export type ProgramPlace = {
  readonly root: string;
  readonly environment: Environment;
  readonly logsDirectory: string;
  /** Process ids, one file each. */
  readonly pidsDirectory: string;
  /** Files here keep the program of that name down. */
  readonly holdDirectory: string;
  /** Hears of a program that ended by itself. */
  readonly onCrash: (name: string, how: string, waitMs: number) => void;
};

export type Program = {
  /** Resolves once it is ready. Rejects with its last words if it ends before, or with the time it was given. */
  start(): Promise<void>;
  /**
   * Starts a successor beside it, and ends it once that has its place. Rejects, with the old one still running, if the
   * successor does not come up.
   */
  replace(): Promise<void>;
  stop(): Promise<void>;
  kill(): void;
};

const READY_MS = 60_000;
const HOLD_POLL_MS = 100;

/** @throws Error with its last words if it ends before it is ready, or with the time it was given. */
const awaitReady = async (
  { ended }: Child,
  watched: {
    readonly name: string;
    readonly logFile: string;
    readonly isReady: () => Promise<boolean>;
    readonly stopping: AbortSignal;
  },
): Promise<void> => {
  const { name, logFile, isReady, stopping } = watched;
  const offset = logOffset(logFile);
  const crashed = new AbortController();
  void ended.then(() => crashed.abort());
  const isUp = await waitUntil(isReady, { deadlineMs: READY_MS, signal: crashed.signal });
  if (stopping.aborted) return;
  if (crashed.signal.aborted) throw new Error(`${name} did not start: ${lastWords(logFile, offset)}`);
  if (!isUp) throw new Error(`${name} is not ready after ${READY_MS / 1000} s; see ${logFile}`);
};

/** True once the unit is ready by another process than the one that answers now. */
const untilTaken = async ({ name, whoAnswers, isReady }: ProgramUnit): Promise<() => Promise<boolean>> => {
  if (whoAnswers === undefined) throw new Error(`${name} cannot be replaced`);
  const before = await whoAnswers();
  return async () => {
    const now = await whoAnswers();
    return now !== undefined && now !== before && (await isReady());
  };
};

class RunningProgram implements Program {
  readonly #unit: ProgramUnit;
  readonly #place: ProgramPlace;
  readonly #logFile: string;
  readonly #pidFile: string;
  readonly #stopping = new AbortController();
  #child: Child | undefined;
  /** Those that were replaced and are still ending. */
  readonly #leaving = new Set<Child>();

  constructor(unit: ProgramUnit, place: ProgramPlace) {
    this.#unit = unit;
    this.#place = place;
    this.#logFile = join(place.logsDirectory, `${unit.name}.log`);
    this.#pidFile = join(place.pidsDirectory, unit.name);
  }

  async start(): Promise<void> {
    const first = this.#install(this.#launch());
    await this.#awaitReady(first, this.#unit.isReady);
    if (!this.#stopping.signal.aborted) void this.#keepRunning(first);
  }

  async replace(): Promise<void> {
    if (this.#child === undefined) throw new Error(`${this.#unit.name} is not running`);
    const isTaken = await untilTaken(this.#unit);
    const next = this.#launch({ TAKE_OVER: 'true' });
    try {
      await this.#awaitReady(next, isTaken);
    } catch (thrown) {
      next.kill();
      throw thrown;
    }
    // Not the one of before: that may have ended meanwhile, and been started again.
    const old = this.#child;
    void this.#keepRunning(this.#install(next));
    if (old === undefined) return;
    this.#leaving.add(old);
    await old.stop(this.#unit.stopMs);
    this.#leaving.delete(old);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#all().map((one) => one.stop(this.#unit.stopMs)));
    rmSync(this.#pidFile, { force: true });
  }

  kill(): void {
    this.#stopping.abort();
    for (const one of this.#all()) one.kill();
  }

  #all(): readonly Child[] {
    return this.#child === undefined ? [] : [this.#child, ...this.#leaving];
  }

  #launch(more: Environment = {}): Child {
    const { root, environment: inherited } = this.#place;
    const { script, environment } = this.#unit;
    return startChild({
      root,
      script,
      environment: { ...inherited, ...environment, ...more },
      logFile: this.#logFile,
    });
  }

  #install(next: Child): Child {
    this.#child = next;
    mkdirSync(this.#place.pidsDirectory, { recursive: true });
    writeFileSync(this.#pidFile, String(next.pid));
    return next;
  }

  #awaitReady(child: Child, isReady: () => Promise<boolean>): Promise<void> {
    const { name } = this.#unit;
    return awaitReady(child, { name, logFile: this.#logFile, isReady, stopping: this.#stopping.signal });
  }

  async #pause(waitMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const holdFile = join(this.#place.holdDirectory, this.#unit.name);
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    while (existsSync(holdFile) && !signal.aborted) await sleep(HOLD_POLL_MS);
  }

  async #keepRunning(first: Child): Promise<void> {
    let current = first;
    let waitMs = 0;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const how = await current.ended;
      // One that was replaced has ended, and its successor is kept running.
      if (signal.aborted || current !== this.#child) return;
      this.#child = undefined;
      waitMs = nextWait(waitMs, performance.now() - startedAt);
      this.#place.onCrash(this.#unit.name, how, waitMs);
      await this.#pause(waitMs);
      // A successor that came up meanwhile is kept running by itself.
      if (signal.aborted || this.#child !== undefined) return;
      current = this.#install(this.#launch());
    }
  }
}

/** A program of one unit, not started yet. */
export const createProgram = (unit: ProgramUnit, place: ProgramPlace): Program =>
  new RunningProgram(unit, place);
