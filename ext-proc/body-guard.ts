// What a guard does with each chunk of a body. A guard answers every chunk, in order, with what may go on in its place.

import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import type { TerminationCause } from '#ext-proc/live-streams.ts';

export type BodyStep =
  /** The chunk goes on as it came. */
  | { readonly kind: 'forward' }
  /** These bytes go on instead; none at all holds the chunk back. */
  | { readonly kind: 'replace'; readonly bytes: Uint8Array }
  /** These bytes are the last; after them the stream is broken off. */
  | { readonly kind: 'break-off'; readonly bytes: Uint8Array };

export type BodyGuard = {
  /** Not called again before it has answered. */
  push(chunk: Uint8Array, endOfStream: boolean): BodyStep | Promise<BodyStep>;
  /** Called where the answer ends in trailers instead: true if nothing that was held back is lost by that. */
  mayEndHere(): boolean;
  /** Bytes held back at the moment. */
  heldBytes(): number;
  /**
   * In the place of a `push` of a chunk that is not the last: ends the answer with a JSON-RPC error as soon as one can stand
   * there. Absent where none can: no request waits for it, or the body is no stream of events.
   */
  interrupt?(chunk: Uint8Array): BodyStep | Promise<BodyStep>;
  /** The JSON-RPC error of that, if it can stand behind what has been answered so far; undefined in the middle of an event. */
  lastWords?(cause: TerminationCause): BodyStep | undefined;
  /** The answer is over, however it ended: gives back what is no memory of ours. */
  close?(): void;
};

/** A guard that can be told from outside that the body cannot be judged. */
export type RefusingGuard = BodyGuard & {
  /** In the place of a `push`: what goes on of it. Unless it breaks the answer off, chunks are pushed on to its end. */
  refuse(fault: AnswerFault): BodyStep;
};

/** Who hears what a guard did; for metrics and the log. */
export type GuardReport = {
  refused(fault: AnswerFault): void;
  /** What could not be judged has passed all the same, because a setting says so. */
  unread(fault: AnswerFault): void;
  /** The answer opens a session, of this sealed id. */
  opened(session: string): void;
};

export type BodyLimits = {
  /** Longest body that is held whole. */
  readonly maxBodyBytes: number;
  /** Longest server-sent event. */
  readonly maxEventBytes: number;
};

export const NO_BYTES = new Uint8Array(0);
