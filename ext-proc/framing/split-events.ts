// Cuts a byte stream into whole server-sent events, wherever the network cut it (WHATWG HTML §9.2.5). An event is
// complete at its blank line, whichever line ending was used. Knows nothing of fields; see sse-event.ts.

import { createByteStore } from '#ext-proc/framing/byte-store.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** `whole`: with its blank line. `part`: of an event that is longer than the cap, the last part too. */
export type EventPiece = { readonly kind: 'whole' | 'part'; readonly bytes: Uint8Array };

export type EventSplitter = {
  /**
   * The events that `chunk` completes, in order; the concatenation of all pieces with what is still held is the input,
   * byte for byte. The line feed of a CRLF that a chunk border split off opens the next piece. Of an event longer than the
   * cap nothing is held from there on.
   */
  push(chunk: Uint8Array): readonly EventPiece[];
  /** Bytes of the unfinished event. */
  heldBytes(): number;
};

/** Reads line endings byte by byte; remembers just enough to go on in the next chunk. */
type LineScan = { atLineStart: boolean; afterReturn: boolean };

// True where the byte ends a blank line. The line feed of a CRLF ends nothing: its carriage return did.
const endsEvent = (scan: LineScan, byte: number): boolean => {
  if (byte === LINE_FEED && scan.afterReturn) {
    scan.afterReturn = false;
    return false;
  }
  scan.afterReturn = byte === CARRIAGE_RETURN;
  const isLineEnd = byte === CARRIAGE_RETURN || byte === LINE_FEED;
  const isBlankLine = isLineEnd && scan.atLineStart;
  scan.atLineStart = isLineEnd;
  return isBlankLine;
};

/** @param maxEventBytes longest event that is held or yielded whole. */
export const createEventSplitter = (maxEventBytes: number): EventSplitter => {
  const scan: LineScan = { atLineStart: true, afterReturn: false };
  const held = createByteStore();
  let isTooLong = false;

  /** What is held and what ends it. */
  const takeEvent = (last: Uint8Array): EventPiece => {
    const isWhole = !isTooLong && held.size() + last.length <= maxEventBytes;
    isTooLong = false;
    held.add(last);
    return { kind: isWhole ? 'whole' : 'part', bytes: held.take() };
  };

  /** Of an event that goes on. */
  const keep = (more: Uint8Array): readonly EventPiece[] => {
    held.add(more);
    isTooLong ||= held.size() > maxEventBytes;
    return isTooLong && held.size() > 0 ? [{ kind: 'part', bytes: held.take() }] : [];
  };

  const endOfEvent = (chunk: Uint8Array, from: number): number => {
    for (let at = from; at < chunk.length; at += 1) {
      if (!endsEvent(scan, chunk[at] as number)) continue;
      if (!scan.afterReturn || chunk[at + 1] !== LINE_FEED) return at + 1;
      scan.afterReturn = false;
      return at + 2;
    }
    return -1;
  };

  return {
    push: (chunk) => {
      const pieces: EventPiece[] = [];
      let start = 0;
      for (let end = endOfEvent(chunk, 0); end !== -1; end = endOfEvent(chunk, start)) {
        pieces.push(takeEvent(chunk.subarray(start, end)));
        start = end;
      }
      return [...pieces, ...keep(chunk.subarray(start))];
    },
    heldBytes: held.size,
  };
};
