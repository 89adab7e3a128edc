// The answers that are open right now and can be ended: each runs through us chunk by chunk, so an error on its
// processing stream cuts it at the client (measured: about 0.1 s with Envoy's delayed_close_timeout of 0.1 s).

import type { GuardOrders } from '#core/guard-orders.ts';

/** Why an open answer was ended from outside. A metric label, and told to the client. */
export type TerminationCause = 'command' | 'switched-off' | 'revoked' | 'drained';

export type LiveStream = {
  readonly orders: GuardOrders;
  /** Nothing more of the answer passes; it is broken off at once, or after a moment for an error. Called at most once. */
  readonly end: (cause: TerminationCause) => void;
  /** Ends the answer with an error to its client as soon as one can stand there; until then it goes on. */
  readonly interrupt: () => void;
};

export type LiveStreams = {
  /** @returns what takes the stream out again; harmless when repeated. */
  add(stream: LiveStream): () => void;
  /** Ends every stream that matches; returns how many. */
  terminate(matches: (orders: GuardOrders) => boolean, cause: TerminationCause): number;
  /** Interrupts every stream: their time is over, and who waits for their end is to hear of it. */
  interruptAll(): void;
  count(): number;
};

export const createLiveStreams = (): LiveStreams => {
  const streams = new Set<LiveStream>();
  return {
    add: (stream) => {
      streams.add(stream);
      return () => {
        streams.delete(stream);
      };
    },
    terminate: (matches, cause) => {
      const doomed = [...streams].filter((stream) => matches(stream.orders));
      for (const stream of doomed) {
        streams.delete(stream);
        stream.end(cause);
      }
      return doomed.length;
    },
    interruptAll: () => {
      for (const stream of streams) stream.interrupt();
    },
    count: () => streams.size,
  };
};
