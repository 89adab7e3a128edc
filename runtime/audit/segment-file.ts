// The file a chain is being written to. A batch is in it whole or not at all; what a failed write left behind is cut off
// before the next one. Knows bytes, not records.

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';

export type SegmentFile = {
  readonly path: string;
  /** Bytes that count. */
  size(): number;
  /** False once it was deleted or moved away: it would still take writes, and nobody would ever find them. */
  isInPlace(): boolean;
  /** Appends; on a failure nothing of it counts. @throws what the file system throws, or if the file is not there any more */
  write(text: string): void;
  /** Resolves when everything written is on disk. */
  sync(): Promise<void>;
  /** Takes back the last write. */
  undo(): void;
  close(): void;
};

const syncData = promisify(fdatasync);

const isInPlace = (descriptor: number, path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino;

const writeAll = (descriptor: number, bytes: Buffer, from: number): void => {
  let written = 0;
  while (written < bytes.length)
    written += writeSync(descriptor, bytes, written, bytes.length - written, from + written);
};

/**
 * Opens a new file.
 * @throws what the file system throws; a file that is already there is never touched.
 */
export const openSegmentFile = (path: string): SegmentFile => {
  const descriptor = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  let size = 0;
  let before = 0;
  let isDirty = false;
  const cut = (): void => {
    if (isDirty) ftruncateSync(descriptor, size);
    isDirty = false;
  };
  return {
    path,
    size: () => size,
    isInPlace: () => isInPlace(descriptor, path),
    write: (text) => {
      if (!isInPlace(descriptor, path))
        throw new GatewayError('store_failed', 'the segment is not in its place');
      cut();
      const bytes = Buffer.from(text);
      isDirty = true;
      writeAll(descriptor, bytes, size);
      before = size;
      size += bytes.length;
      isDirty = false;
    },
    sync: () => syncData(descriptor),
    undo: () => {
      size = before;
      isDirty = true;
    },
    close: () => {
      try {
        cut();
      } finally {
        closeSync(descriptor);
      }
    },
  };
};
