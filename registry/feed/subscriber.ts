// One consumer's stream, seen from the registry: sends what was committed after its position, then stays with the
// head. Holds a position and the batch it is sending, so a slow consumer costs no queue; it then gets the newest states.

import { once } from 'node:events';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { FeedItem, FeedSource } from '#registry/feed/feed-source.ts';
import { type FromConsumer, type FromRegistry, jsonBytes } from '#registry/feed/wire-message.ts';

/** States read from the store at once, fewer where they are large: what one stream holds while the peer is slow. */
const BATCH_SIZE = 32;

export type FeedCall = ServerDuplexStream<FromConsumer, FromRegistry>;

export type Subscriber = {
  /** Sends what is new, then says how far that is. Calls while one is under way are joined to it. */
  wake(): void;
  /** Sequence up to which everything has been sent. */
  position(): number;
};

const encode = (item: FeedItem): FromRegistry => {
  switch (item.kind) {
    case 'change':
      return { message: 'change', change: jsonBytes(item.change) };
    case 'event':
      return { message: 'event', event: jsonBytes(item.event) };
    case 'revocation':
      return { message: 'revocation', revocation: jsonBytes(item.revocation) };
    case 'drift':
      return { message: 'drift', drift: jsonBytes(item.drift) };
  }
};

/** Items are shared by streams that read the same; each is turned into bytes once. */
const encoded = new WeakMap<FeedItem, FromRegistry>();

const messageOf = (item: FeedItem): FromRegistry => {
  const message = encoded.get(item) ?? encode(item);
  encoded.set(item, message);
  return message;
};

/** Waits while the peer does not read. @throws if the stream is over. */
const write = async (call: FeedCall, message: FromRegistry): Promise<void> => {
  if (call.cancelled || call.destroyed || call.writableEnded) throw new Error('stream is over');
  if (call.write(message)) return;
  const over = new AbortController();
  const stop = (): void => over.abort();
  call.once('cancelled', stop).once('close', stop);
  try {
    await once(call, 'drain', { signal: over.signal });
  } finally {
    call.off('cancelled', stop).off('close', stop);
  }
};

type Parts = {
  readonly call: FeedCall;
  readonly readAfter: FeedSource['readAfter'];
  /** Kinds of items that the peer does not ask for and are passed over, because it would not know the message. */
  readonly without: ReadonlySet<FeedItem['kind']>;
};

const sendAll = async ({ call, readAfter, without }: Parts, from: number): Promise<number> => {
  let position = from;
  for (;;) {
    const batch = await readAfter(position, BATCH_SIZE, from);
    for (const item of batch.items) if (!without.has(item.kind)) await write(call, messageOf(item));
    position = batch.upTo;
    if (!batch.more) break;
  }
  await write(call, { message: 'caught_up', caught_up: { sequence: String(position) } });
  return position;
};

/**
 * Serves one stream from `position` on.
 * @param options.onFailure called once if reading the store or writing the stream failed; the stream is then to be ended.
 */
export const createSubscriber = (
  options: Parts & { readonly position: number; readonly onFailure: (thrown: unknown) => void },
): Subscriber => {
  const { onFailure } = options;
  let position = options.position;
  let state: 'idle' | 'sending' | 'again' | 'failed' = 'idle';
  const run = async (): Promise<void> => {
    try {
      do {
        state = 'sending';
        position = await sendAll(options, position);
      } while ((state as string) === 'again');
      state = 'idle';
    } catch (thrown) {
      state = 'failed';
      onFailure(thrown);
    }
  };
  return {
    wake: () => {
      if (state === 'idle') void run();
      else if (state === 'sending') state = 'again';
    },
    position: () => position,
  };
};
