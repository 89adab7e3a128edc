// An event stream that can be ended with words: between two of its events, whatever guard it has, a JSON-RPC error is put in
// and the stream is broken off. Envoy takes bytes from us only in the place of bytes it has sent, so the words wait for them.

import { type BodyGuard, type BodyStep, NO_BYTES } from '#ext-proc/body-guard.ts';
import { formatSseEvent } from '#ext-proc/framing/sse-event.ts';
import type { TerminationCause } from '#ext-proc/live-streams.ts';

/** The end of an event: a line ends, and an empty one after it, whichever their endings (WHATWG HTML §9.2.5). */
const END_OF_EVENT = /(?:\n|\r(?!\n))(?:\r\n|\r|\n)/;
const IS_AT_END = new RegExp(`${END_OF_EVENT.source}$`);

/** Longest of these. */
const TAIL_BYTES = 3;

const bytesOf = (step: BodyStep, chunk: Uint8Array): Uint8Array =>
  step.kind === 'forward' ? chunk : step.bytes;

/** Remembers how what has passed ends. */
const createTail = () => {
  let tail: Buffer = Buffer.alloc(0);
  return {
    isBetweenEvents: (): boolean => tail.length === 0 || IS_AT_END.test(tail.toString('latin1')),
    /** Where in `bytes`, which come next, the event ends that has begun; undefined: not in them. */
    endIn: (bytes: Uint8Array): number | undefined => {
      const found = END_OF_EVENT.exec(Buffer.concat([tail, bytes]).toString('latin1'));
      return found === null ? undefined : found.index + found[0].length - tail.length;
    },
    add: (bytes: Uint8Array): void => {
      tail = Buffer.concat([tail, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    },
  };
};

/**
 * A guard whose stream can be interrupted: with the error in the place of the chunk, or behind the event that the chunk ends.
 * A chunk that ends none is pushed as any other.
 * @param message the JSON-RPC error, as text.
 */
export const makeInterruptible = (
  guard: BodyGuard,
  message: (cause: TerminationCause) => string,
): BodyGuard => {
  const passed = createTail();
  const breakOff = (cause: TerminationCause, before: Uint8Array): BodyStep => {
    const last = formatSseEvent({ comments: [], event: 'message', data: message(cause) });
    return { kind: 'break-off', bytes: Buffer.concat([before, Buffer.from(last)]) };
  };
  const note = (step: BodyStep, chunk: Uint8Array): BodyStep => {
    passed.add(bytesOf(step, chunk));
    return step;
  };
  return {
    ...guard,
    push: (chunk, endOfStream) => {
      const step = guard.push(chunk, endOfStream);
      return step instanceof Promise ? step.then((done) => note(done, chunk)) : note(step, chunk);
    },
    interrupt: async (chunk) => {
      if (passed.isBetweenEvents()) return breakOff('drained', NO_BYTES);
      const step = await guard.push(chunk, false);
      const bytes = bytesOf(step, chunk);
      const end = step.kind === 'break-off' ? undefined : passed.endIn(bytes);
      return end === undefined ? note(step, chunk) : breakOff('drained', bytes.subarray(0, end));
    },
    lastWords: (cause) => (passed.isBetweenEvents() ? breakOff(cause, NO_BYTES) : undefined),
  };
};
