// Keeps the copy on disk up with the copy in memory: one write at a time, the newest wins, never more than a few a
// second. A write is what changed; now and then it is everything, in small pieces, because calls wait meanwhile.

import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '#core/gateway-error.ts';
import {
  continueCopy,
  touchSnapshotFile,
  type WrittenCopy,
  writeWholeCopy,
} from '#registry/feed/snapshot-file.ts';
import type { SavedSnapshot } from '#registry/feed/snapshot-records.ts';
import type { Logger } from '#runtime/logger.ts';

/** Shortest time between two writes, milliseconds: what a crash can cost, and the feed then sends again. */
const PAUSE_MS = 200;

/** Before the first write, milliseconds: what has come is acted on first. A kill switch must not wait for its copy. */
const HEAD_START_MS = 20;

/** Changes are gathered up to this, bytes, and to the size of what was written whole: then everything is written anew. */
const MIN_GATHERED_BYTES = 1024 * 1024;

export type SnapshotKeeper = {
  keep(saved: SavedSnapshot): void;
  /** Writes what is still waiting. */
  stop(): Promise<void>;
};

const isFull = ({ bytes, wholeBytes }: WrittenCopy): boolean =>
  bytes - wholeBytes > Math.max(MIN_GATHERED_BYTES, wholeBytes);

/** Brings the file from what it holds to what it is to hold. The first write of a process is whole. */
const bringForward = async (
  path: string,
  written: WrittenCopy | undefined,
  saved: SavedSnapshot,
): Promise<WrittenCopy> => {
  if (written === undefined || written.saved.epoch !== saved.epoch || isFull(written))
    return writeWholeCopy(path, saved);
  const isSame =
    written.saved.snapshot === saved.snapshot &&
    written.saved.revocations?.entries === saved.revocations?.entries &&
    written.saved.revocations?.length === saved.revocations?.length &&
    written.saved.drift === saved.drift;
  if (isSame) {
    await touchSnapshotFile(path, saved.freshAtMs);
    return written;
  }
  return (await continueCopy(path, written, saved)) ?? writeWholeCopy(path, saved);
};

/** A keeper of the file at `path`. A failed write is logged; serving goes on from memory. */
export const createSnapshotKeeper = (path: string, logger: Logger): SnapshotKeeper => {
  let waiting: SavedSnapshot | undefined;
  let written: WrittenCopy | undefined;
  let writing: Promise<void> | undefined;
  const stopping = new AbortController();

  const write = async (saved: SavedSnapshot): Promise<void> => {
    try {
      written = await bringForward(path, written, saved);
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
