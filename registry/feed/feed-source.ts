// What the feed needs from the store: the newest states after a sequence, and a nudge when there are more.
// The database is the queue: a slow consumer costs no memory and always gets the newest state of a tenant.

import type { FeedEvent } from '#core/feed-message.ts';
import type { TenantChange } from '#core/snapshot.ts';

export type FeedItem =
  | { readonly kind: 'change'; readonly sequence: number; readonly change: TenantChange }
  | { readonly kind: 'event'; readonly sequence: number; readonly event: FeedEvent };

export type FeedBatch = {
  /** Ascending by sequence; a tenant occurs once, as it stands now. */
  readonly items: readonly FeedItem[];
  /** Everything committed up to here is in `items` or was asked for before. */
  readonly upTo: number;
  /** True if more items lie between `upTo` and the last commit. */
  readonly more: boolean;
};

export type FeedSource = {
  /** Names this database. A consumer's copy of another one cannot be continued. */
  readonly epoch: string;
  /** Sequence of the last commit. */
  lastSequence(): Promise<number>;
  /** At most `limit` items, fewer where they are large; at least one if there is any. */
  readAfter(sequence: number, limit: number): Promise<FeedBatch>;
  /** Calls `listener` after every commit; returns what ends that. */
  onCommit(listener: () => void): () => void;
};
