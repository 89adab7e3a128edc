// Cuts a byte stream into whole server-sent events, wherever the network cut it (WHATWG HTML §9.2.5). An event is
// complete at its blank line, whichever line ending was used. Knows nothing of fields; see sse-event.ts.

import { err, ok, type Result } from '#core/result.ts';
import { createByteStore } from '#ext-proc/framing/byte-store.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

export type EventSplitter = {
  /**
   * The events that `chunk` completes, in order, each with its blank line; their concatenation with what is still
   * held is the input, byte for byte. The line feed of a CRLF that a chunk border split off opens the next piece.
   * @returns an error once an unfinished event exceeds the cap; the splitter must not be used after that.
   */
  push(chunk: Uint8Array): Result<readonly Uint8Array[], 'answer_too_large'>;
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

/** @param maxEventBytes longest event that is held or yielded. */
export const createEventSplitter = (maxEventBytes: number): EventSplitter => {
  const scan: LineScan = { atLineStart: true, afterReturn: false };
  const held = createByteStore();

  const takeEvent = (last: Uint8Array): Uint8Array => {
    held.add(last);
    return held.take();
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
      const events: Uint8Array[] = [];
      let start = 0;
      for (let end = endOfEvent(chunk, 0); end !== -1; end = endOfEvent(chunk, start)) {
        if (held.size() + end - start > maxEventBytes) return err('answer_too_large');
        events.push(takeEvent(chunk.subarray(start, end)));
        start = end;
      }
      held.add(chunk.subarray(start));
      return held.size() > maxEventBytes ? err('answer_too_large') : ok(events);
    },
    heldBytes: held.size,
  };
};
