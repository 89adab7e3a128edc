// A consumer of the feed as one registry saw it: what registries tell each other through the store.

import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';

export type SeenConsumer = {
  /** The registry, a name of its own for each process. */
  readonly replica: string;
  /** By that registry's clock, milliseconds since the epoch. */
  readonly seenAtMs: number;
  readonly entry: ConsumerEntry;
};
