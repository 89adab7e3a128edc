// Keeps the copy on disk up with the copy in memory: one write at a time, the newest wins, never more than a few a
// second, because serialising a large snapshot takes the time of the calls that wait meanwhile.

import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { type SavedSnapshot, saveSnapshotFile, touchSnapshotFile } from '#registry/feed/snapshot-file.ts';
import type { Logger } from '#runtime/logger.ts';

/** Shortest time between two writes, milliseconds: what a crash can cost, and the feed then sends again. */
const PAUSE_MS = 200;

/** Before the first write, milliseconds: what has come is acted on first. A kill switch must not wait for its copy. */
const HEAD_START_MS = 20;

export type SnapshotKeeper = {
  keep(saved: SavedSnapshot): void;
  /** Writes what is still waiting. */
  stop(): Promise<void>;
};

/** A keeper of the file at `path`. A failed write is logged; serving goes on from memory. */
export const createSnapshotKeeper = (path: string, logger: Logger): SnapshotKeeper => {
  let waiting: SavedSnapshot | undefined;
  let written: SavedSnapshot | undefined;
  let writing: Promise<void> | undefined;
  const stopping = new AbortController();

  const write = async (saved: SavedSnapshot): Promise<void> => {
    try {
      const isSame = written?.snapshot === saved.snapshot && written.epoch === saved.epoch;
      await (isSame ? touchSnapshotFile(path, saved.freshAtMs) : saveSnapshotFile(path, saved));
      written = saved;
    } catch (thrown) {
      written = undefined;
      logger.error({ path, error: GatewayError.from(thrown).message }, 'snapshot copy not written');
    }
  };

  const pause = async (timeMs: number): Promise<void> => {
    if (stopping.signal.aborted) return;
    // The only rejection is the stop, which is what ends the pause early.
    await sleep(timeMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  };

  const drain = async (): Promise<void> => {
    await pause(HEAD_START_MS);
    while (waiting !== undefined) {
      const next = waiting;
      waiting = undefined;
      await write(next);
      await pause(PAUSE_MS);
    }
    writing = undefined;
  };

  return {
    keep: (saved) => {
      waiting = saved;
      writing ??= drain();
    },
    stop: async () => {
      stopping.abort();
      await writing;
    },
  };
};
