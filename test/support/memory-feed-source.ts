// A FeedSource that lives in memory: for tests of the feed, and of services that need one to follow.

import { randomUUID } from 'node:crypto';
import type { FeedEvent } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import type { FeedItem, FeedSource } from '#registry/feed/feed-source.ts';

export type MemoryFeedSource = FeedSource & {
  put(tenant: Tenant): void;
  remove(tenantId: string): void;
  announce(event: FeedEvent): void;
};

/** An empty source; every call to `put`, `remove` and `announce` is one commit. */
export const createMemoryFeedSource = (epoch: string = randomUUID()): MemoryFeedSource => {
  const items = new Map<string, FeedItem>();
  const listeners = new Set<() => void>();
  let sequence = 0;
  const commit = (key: string, build: (sequence: number) => FeedItem): void => {
    sequence += 1;
    items.set(key, build(sequence));
    for (const listener of listeners) listener();
  };
  return {
    epoch,
    lastSequence: async () => sequence,
    readAfter: async (from, limit) => {
      const newer = [...items.values()]
        .filter((item) => item.sequence > from)
        .sort((a, b) => a.sequence - b.sequence);
      const batch = newer.slice(0, limit);
      const more = newer.length > limit;
      return { items: batch, upTo: more ? (batch.at(-1)?.sequence ?? from) : sequence, more };
    },
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put: (tenant) =>
      commit(tenant.id, (at) => ({
        kind: 'change',
        sequence: at,
        change: { kind: 'upsert', sequence: at, tenant },
      })),
    remove: (tenantId) =>
      commit(tenantId, (at) => ({
        kind: 'change',
        sequence: at,
        change: { kind: 'remove', sequence: at, tenantId },
      })),
    announce: (event) => commit(`event ${event.id}`, (at) => ({ kind: 'event', sequence: at, event })),
  };
};
