// One list of consumers from what several registries see. Pure: the clock is an argument, and the clocks of the
// registries may differ by less than the silence after which one is taken for dead.

import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { SILENCE_LIMIT_MS } from '#registry/feed/wire-message.ts';
import type { SeenConsumer } from '#registry/store/seen-consumer.ts';

/** Nobody knows what became of the consumers of a registry that has fallen silent; they are connected to nothing. */
const asSeen = ({ entry, seenAtMs }: SeenConsumer, nowMs: number): ConsumerEntry =>
  entry.connected && nowMs - seenAtMs > SILENCE_LIMIT_MS
    ? { ...entry, connected: false, since: new Date(seenAtMs).toISOString() }
    : entry;

/** A connection before the loss of one, then what is newer: a consumer that moved is where it is now. */
const isBetter = (a: ConsumerEntry, b: ConsumerEntry): boolean =>
  a.connected === b.connected ? a.since > b.since : a.connected;

/** Every consumer once, sorted by name. `own` is what this registry sees itself, under `replica`. */
export const mergeConsumers = (
  own: { readonly replica: string; readonly entries: readonly ConsumerEntry[] },
  seen: readonly SeenConsumer[],
  nowMs: number,
): readonly ConsumerEntry[] => {
  const others = seen.filter(({ replica }) => replica !== own.replica).map((each) => asSeen(each, nowMs));
  const best = new Map<string, ConsumerEntry>();
  for (const entry of [...own.entries, ...others]) {
    const known = best.get(entry.consumer);
    if (known === undefined || isBetter(entry, known)) best.set(entry.consumer, entry);
  }
  return [...best.values()].toSorted((a, b) => (a.consumer < b.consumer ? -1 : 1));
};
