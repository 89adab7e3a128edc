// What the feed needs from the store: the newest states after a sequence, and a nudge when there are more.
// The database is the queue: a slow consumer costs no memory and always gets the newest state of a tenant.

import type { ServerDrift } from '#core/drift-book.ts';
import type { FeedEvent } from '#core/feed-message.ts';
import type { Revocation } from '#core/revocation.ts';
import type { TenantChange } from '#core/snapshot.ts';
import type { ResourceState } from '#registry/feed/apply-resources.ts';

/** What changed of a tenant that the consumer has: every resource that differs from its copy. */
export type TenantPatch = {
  readonly kind: 'patch';
  readonly sequence: number;
  readonly tenantId: string;
  readonly revision: number;
  readonly resources: readonly ResourceState[];
};

export type FeedItem =
  | { readonly kind: 'change'; readonly sequence: number; readonly change: TenantChange | TenantPatch }
  | { readonly kind: 'event'; readonly sequence: number; readonly event: FeedEvent }
  | { readonly kind: 'revocation'; readonly sequence: number; readonly revocation: Revocation }
  | { readonly kind: 'drift'; readonly sequence: number; readonly drift: ServerDrift };

export type FeedBatch = {
  /** Ascending by sequence; a tenant, the target of a revocation, or a server's drift, occurs once: what changed of it, or the whole of one the consumer cannot have. */
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
  /**
   * At most `limit` items, fewer where they are large; at least one if there is any.
   * @param known up to where the consumer has everything: batches of one catch-up go on from each other, but what
   *   changed of a tenant is counted from here, because the batch before may have left it out.
   */
  readAfter(sequence: number, limit: number, known: number): Promise<FeedBatch>;
  /** The bytes of a bundle of a tenant's policy, if it has such a one. */
  findPolicyBundle(tenantId: string, digest: string): Promise<{ readonly bytes: Uint8Array } | undefined>;
  /** Calls `listener` after every commit; returns what ends that. */
  onCommit(listener: () => void): () => void;
};
