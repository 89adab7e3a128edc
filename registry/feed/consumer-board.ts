// Who is on the feed and what each last said: kept in memory, shown to the platform admin. A consumer that went away
// stays on the board for a while, because its absence is what an operator looks for.

import type { ConsumerStatus } from '#core/feed-message.ts';

/** More names than this are not a fleet but a fault; the oldest absent ones make room. */
const MAX_ENTRIES = 1_000;

export type ConsumerEntry = {
  readonly consumer: string;
  readonly connected: boolean;
  /** RFC 3339. */
  readonly since: string;
  /** Sequence up to which everything has been sent to it. */
  readonly sentSequence: number;
  readonly status: ConsumerStatus | null;
  /** RFC 3339; null if it never reported. */
  readonly reportedAt: string | null;
};

export type ConsumerBoard = {
  set(entry: ConsumerEntry): void;
  find(consumer: string): ConsumerEntry | undefined;
  /** Sorted by name. */
  list(): readonly ConsumerEntry[];
  /** Calls `listener` after every change; returns what ends that. */
  onChange(listener: () => void): () => void;
};

export const createConsumerBoard = (): ConsumerBoard => {
  const entries = new Map<string, ConsumerEntry>();
  const listeners = new Set<() => void>();
  const makeRoom = (): void => {
    if (entries.size < MAX_ENTRIES) return;
    const absent = [...entries.values()].find((entry) => !entry.connected);
    if (absent !== undefined) entries.delete(absent.consumer);
  };
  return {
    set: (entry) => {
      if (!entries.has(entry.consumer)) makeRoom();
      entries.set(entry.consumer, entry);
      for (const listener of listeners) listener();
    },
    find: (consumer) => entries.get(consumer),
    list: () => [...entries.values()].toSorted((a, b) => (a.consumer < b.consumer ? -1 : 1)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
