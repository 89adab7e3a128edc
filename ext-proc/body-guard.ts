// What a guard does with each chunk of a body. A guard answers every chunk at once, with what may go on in its place.

import type { AnswerFault } from '#ext-proc/lists/answer-fault.ts';
import type { CutList } from '#ext-proc/lists/cut-message.ts';

export type BodyStep =
  /** The chunk goes on as it came. */
  | { readonly kind: 'forward' }
  /** These bytes go on instead; none at all holds the chunk back. */
  | { readonly kind: 'replace'; readonly bytes: Uint8Array }
  /** These bytes are the last; after them the stream is broken off. */
  | { readonly kind: 'break-off'; readonly bytes: Uint8Array };

export type BodyGuard = {
  push(chunk: Uint8Array, endOfStream: boolean): BodyStep;
  /** Called where the answer ends in trailers instead: true if nothing that was held back is lost by that. */
  mayEndHere(): boolean;
  /** Bytes held back at the moment. */
  heldBytes(): number;
};

/** Who hears what a guard did; for metrics and the log. */
export type GuardReport = {
  cut(lists: readonly CutList[]): void;
  refused(fault: AnswerFault): void;
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
