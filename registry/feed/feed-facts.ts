// What every consumer of the feed says about it in `/readyz`, in the same words.

import type { FeedState } from '#registry/feed/feed-consumer.ts';

export type FeedFacts = {
  readonly sequence: number;
  readonly source: FeedState['source'];
  readonly registryConnected: boolean;
  /** Since the registry last said that the snapshot is current; null for never. */
  readonly snapshotAgeSeconds: number | null;
};

/** @param nowMs wall clock, milliseconds since the epoch. */
export const feedFacts = (
  { snapshot, source, connected, freshAtMs }: FeedState,
  nowMs: number,
): FeedFacts => ({
  sequence: snapshot.sequence,
  source,
  registryConnected: connected,
  snapshotAgeSeconds: freshAtMs === 0 ? null : Math.round((nowMs - freshAtMs) / 1_000),
});
