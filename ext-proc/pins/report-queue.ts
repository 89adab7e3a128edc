// Sightings on their way to the registry. No answer waits for them; while the registry is away they wait here, as many as
// there is room for.

import { setTimeout as sleep } from 'node:timers/promises';
import type { DriftReporter, DriftSighting } from '#core/tool-drift.ts';

/** Sightings of one report: a transaction of the registry. */
const MAX_BATCH = 100;

/** Sightings that wait. One is some kilobytes, 64 at the very most. */
const MAX_WAITING = 2_000;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** Reports of one batch, about three minutes; what then still fails is let go, or it would keep all others back. */
const MAX_TRIES = 12;

export type ReportQueue = {
  /** @returns false where there is no room. */
  offer(sighting: DriftSighting): boolean;
  stop(): void;
};

export type ReportQueueOptions = {
  readonly reporter: DriftReporter;
  readonly kept: (sightings: readonly DriftSighting[]) => void;
  /** `error` is the reporter's. */
  readonly lost: (sightings: readonly DriftSighting[], error: string) => void;
  readonly maxWaiting?: number;
  /** Resolves after a time, or rejects when it is aborted. */
  readonly pause?: (timeMs: number, signal: AbortSignal) => Promise<unknown>;
};

const pauseFor = (timeMs: number, signal: AbortSignal): Promise<unknown> =>
  sleep(timeMs, undefined, { signal, ref: false });

const pauseMs = (tries: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));

/** Reports in the order of the offers, one batch at a time. */
export const createReportQueue = (options: ReportQueueOptions): ReportQueue => {
  const { reporter, kept, lost, maxWaiting = MAX_WAITING, pause = pauseFor } = options;
  const waiting: DriftSighting[] = [];
  const stopped = new AbortController();
  let running = false;

  /** Ends when the batch is there, let go, or the queue is stopped. */
  const send = async (batch: readonly DriftSighting[]): Promise<void> => {
    for (let tries = 1; !stopped.signal.aborted; tries += 1) {
      const answered = await reporter.report(batch);
      if (answered.ok) return kept(batch);
      if (tries === MAX_TRIES) return lost(batch, answered.error);
      await pause(pauseMs(tries), stopped.signal).catch(() => undefined);
    }
  };

  const run = async (): Promise<void> => {
    running = true;
    // All tools of one list are offered before this goes on.
    await Promise.resolve();
    while (waiting.length > 0 && !stopped.signal.aborted) {
      const batch = waiting.slice(0, MAX_BATCH);
      await send(batch);
      waiting.splice(0, batch.length);
    }
    running = false;
  };

  return {
    offer: (sighting) => {
      if (waiting.length >= maxWaiting) return false;
      waiting.push(sighting);
      if (!running) void run();
      return true;
    },
    stop: () => stopped.abort(),
  };
};
