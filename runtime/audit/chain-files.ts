// One chain on disk as it is written: a segment that gives way to the next when it is full, a head written over in
// place, and checkpoints beside them. Directories are made at the start only: one that is missing later is a fault.

import { appendFileSync, closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKPOINTS_FILE, HEAD_FILE, segmentName } from '#runtime/audit/chain-directory.ts';
import { openSegmentFile, type SegmentFile } from '#runtime/audit/segment-file.ts';

export type ChainFiles = {
  /** Appends whole lines, each with its newline. @throws what the file system throws; nothing of it counts then */
  write(lines: string): void;
  sync(): Promise<void>;
  undo(): void;
  /** Writes the head over the one before. @throws what the file system throws */
  writeHead(head: string): void;
  /** @throws what the file system throws */
  appendCheckpoint(jws: string): void;
  /** True when the next write should go to a new segment. */
  isFull(): boolean;
  /** Ends the segment; the next write opens another. */
  rotate(): void;
  close(): void;
};

type Open = { readonly segment: SegmentFile; readonly head: number };

type Options = {
  readonly directory: string;
  readonly segmentBytes: number;
  /** Opens a segment; tests put a device in its place. */
  readonly open?: (path: string) => SegmentFile;
};

const closeQuietly = (close: () => void): void => {
  try {
    close();
  } catch {
    // The file is lost already; what was lost with it shows when the chain is verified.
  }
};

/** @throws what the file system throws if the directory cannot be made. */
export const createChainFiles = ({
  directory,
  segmentBytes,
  open = openSegmentFile,
}: Options): ChainFiles => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let index = 0;
  let files: Open | undefined;
  const ensureDirectory = (): void => {
    // Not recursive: where a volume was taken away, its mount point must not be written to.
    if (statSync(directory, { throwIfNoEntry: false }) === undefined) mkdirSync(directory, { mode: 0o700 });
  };
  const opened = (): Open => {
    if (files !== undefined) return files;
    ensureDirectory();
    const segment = open(join(directory, segmentName(index + 1)));
    index += 1;
    files = { segment, head: openSync(join(directory, HEAD_FILE), 'a+', 0o600) };
    closeSync(files.head);
    files = { segment, head: openSync(join(directory, HEAD_FILE), 'r+') };
    return files;
  };
  const release = (): void => {
    const held = files;
    files = undefined;
    if (held === undefined) return;
    closeQuietly(held.segment.close);
    closeQuietly(() => closeSync(held.head));
  };
  return {
    write: (lines) => {
      const { segment } = opened();
      try {
        segment.write(lines);
      } catch (thrown) {
        // A file that is gone is not written to again; one that is full may have room later.
        if (!segment.isInPlace()) release();
        throw thrown;
      }
    },
    sync: () => opened().segment.sync(),
    undo: () => files?.segment.undo(),
    writeHead: (head) => {
      writeSync(opened().head, head, 0);
    },
    appendCheckpoint: (jws) =>
      appendFileSync(join(directory, CHECKPOINTS_FILE), `${jws}\n`, { mode: 0o600, flush: true }),
    isFull: () => (files?.segment.size() ?? 0) >= segmentBytes,
    rotate: release,
    close: release,
  };
};
