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
  stop(): Promise<void>;
  kill(): void;
};

const READY_MS = 60_000;
const HOLD_POLL_MS = 100;

/** A program of one unit, not started yet. */
export const createProgram = (unit: ProgramUnit, place: ProgramPlace): Program => {
  const logFile = join(place.logsDirectory, `${unit.name}.log`);
  const pidFile = join(place.pidsDirectory, unit.name);
  const holdFile = join(place.holdDirectory, unit.name);
  const stopping = new AbortController();
  let child: Child | undefined;

  const launch = (): Child => {
    const environment = { ...place.environment, ...unit.environment };
    child = startChild({ root: place.root, script: unit.script, environment, logFile });
    mkdirSync(place.pidsDirectory, { recursive: true });
    writeFileSync(pidFile, String(child.pid));
    return child;
  };

  const pause = async (waitMs: number): Promise<void> => {
    await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    while (existsSync(holdFile) && !stopping.signal.aborted) await sleep(HOLD_POLL_MS);
  };

  const keepRunning = async (first: Child): Promise<void> => {
    let current = first;
    let waitMs = 0;
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      const how = await current.ended;
      if (stopping.signal.aborted) return;
      waitMs = nextWait(waitMs, Date.now() - startedAt);
      place.onCrash(unit.name, how, waitMs);
      await pause(waitMs);
      if (!stopping.signal.aborted) current = launch();
    }
  };

  return {
    start: async () => {
      const offset = logOffset(logFile);
      const first = launch();
      const crashed = new AbortController();
      void first.ended.then(() => crashed.abort());
      const isUp = await waitUntil(unit.isReady, { deadlineMs: READY_MS, signal: crashed.signal });
      if (stopping.signal.aborted) return;
      if (crashed.signal.aborted)
        throw new Error(`${unit.name} did not start: ${lastWords(logFile, offset)}`);
      if (!isUp) throw new Error(`${unit.name} is not ready after ${READY_MS / 1000} s; see ${logFile}`);
      void keepRunning(first);
    },
    stop: async () => {
      stopping.abort();
      await child?.stop(unit.stopMs);
      rmSync(pidFile, { force: true });
    },
    kill: () => {
      stopping.abort();
      child?.kill();
    },
  };
};
