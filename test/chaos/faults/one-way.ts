// One direction of one connection: pieces wait until they arrive, in the order they were sent, and whoever sends faster than
// they leave is held up as by a full window.

import type { Socket } from 'node:net';
import { createArrivals, type LinkFault, PIECE_BYTES } from '#test/chaos/faults/link-fault.ts';

/** About a window of TCP: what is on its way. */
const WINDOW_BYTES = 256 * 1_024;

export type OneWay = {
  /** The fault of the link is another one from now on. */
  changed(): void;
  /** Nothing passes any more, ever; both ends stay open. */
  strand(): void;
};

type Piece = { readonly bytes: Buffer; readonly atMs: number };

/** @param faultNow read for every piece. */
export const startOneWay = (
  from: Socket,
  to: Socket,
  parts: { readonly faultNow: () => LinkFault; readonly random: () => number },
): OneWay => {
  const { faultNow, random } = parts;
  const arrivalOf = createArrivals(random);
  const waiting: Piece[] = [];
  let waitingBytes = 0;
  let isOver = false;
  let isStranded = false;
  let isClogged = false;
  let timer: NodeJS.Timeout | undefined;

  const finish = (): void => {
    if (isOver && waiting.length === 0 && !to.destroyed) to.end();
  };
  const deliver = (): void => {
    clearTimeout(timer);
    if (isStranded || isClogged || faultNow().isSilent === true) return;
    for (let next = waiting[0]; next !== undefined && !isClogged; next = waiting[0]) {
      const waitMs = next.atMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(deliver, waitMs);
        return;
      }
      waiting.shift();
      waitingBytes -= next.bytes.length;
      isClogged = !to.write(next.bytes);
    }
    if (waitingBytes < WINDOW_BYTES) from.resume();
    finish();
  };
  const take = (bytes: Buffer): void => {
    if (isStranded) return;
    const fault = faultNow();
    const { pieceBytes = PIECE_BYTES } = fault;
    const nowMs = performance.now();
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      waiting.push({ bytes: piece, atMs: arrivalOf(fault, piece.length, nowMs) });
    }
    waitingBytes += bytes.length;
    if (waitingBytes >= WINDOW_BYTES) from.pause();
    deliver();
  };

  from.on('data', take);
  from.on('end', () => {
    isOver = true;
    if (!isStranded) deliver();
  });
  to.on('drain', () => {
    isClogged = false;
    deliver();
  });
  to.once('close', () => clearTimeout(timer));
  return {
    changed: deliver,
    strand: () => {
      isStranded = true;
      clearTimeout(timer);
      waiting.length = 0;
      from.resume();
    },
  };
};
