// A FeedSource that lives in memory: for tests of the feed, and of services that need one to follow.

import { createHash, randomUUID } from 'node:crypto';
import type { ServerDrift } from '#core/drift-book.ts';
import type { FeedEvent } from '#core/feed-message.ts';
import { type Revocation, targetKey } from '#core/revocation.ts';
import type { Tenant } from '#core/tenant.ts';
import { changedResources } from '#registry/commands/changed-resources.ts';
import { resourcesOf } from '#registry/commands/resources.ts';
import type { FeedItem, FeedSource } from '#registry/feed/feed-source.ts';

export type MemoryFeedSource = FeedSource & {
  put(tenant: Tenant): void;
  remove(tenantId: string): void;
  announce(event: FeedEvent): void;
  revoke(revocation: Revocation): void;
  drift(drift: ServerDrift): void;
  /** Keeps a bundle of any tenant's policy; its digest. */
  keepBundle(bytes: Buffer): string;
};

type Kept = {
  readonly tenant: Tenant;
  readonly born: number;
  /** Sequence in which each resource last changed. */
  readonly changedAt: ReadonlyMap<string, number>;
};

type Entry = { readonly sequence: number; readonly item: (known: number) => FeedItem };

const tenantItem = ({ tenant, born, changedAt }: Kept, sequence: number, known: number): FeedItem => {
  if (known < born) return { kind: 'change', sequence, change: { kind: 'upsert', sequence, tenant } };
  const present = resourcesOf(tenant);
  const resources = [...changedAt]
    .filter(([, at]) => at > known)
    .map(([name]) => ({ name, body: present.get(name) ?? null }));
  const { id: tenantId, revision } = tenant;
  return { kind: 'change', sequence, change: { kind: 'patch', sequence, tenantId, revision, resources } };
};

const keep = (before: Kept | undefined, tenant: Tenant, sequence: number): Kept => {
  // A test may put what is no tenant: it is sent whole.
  if (before === undefined || !Array.isArray(tenant.servers))
    return { tenant, born: sequence, changedAt: new Map() };
  const changed = changedResources(before.tenant, tenant).map(({ name }) => [name, sequence] as const);
  return { tenant, born: before.born, changedAt: new Map([...before.changedAt, ...changed]) };
};

/** An empty source; every call to `put`, `remove` and `announce` is one commit. */
export const createMemoryFeedSource = (epoch: string = randomUUID()): MemoryFeedSource => {
  const entries = new Map<string, Entry>();
  const tenants = new Map<string, Kept>();
  const listeners = new Set<() => void>();
  const bundles = new Map<string, { readonly bytes: Buffer }>();
  let sequence = 0;
  const commit = (key: string, build: (sequence: number) => Entry['item']): void => {
    sequence += 1;
    entries.set(key, { sequence, item: build(sequence) });
    for (const listener of listeners) listener();
  };
  return {
    epoch,
    lastSequence: async () => sequence,
    readAfter: async (from, limit, known) => {
      const newer = [...entries.values()]
        .filter((entry) => entry.sequence > from)
        .sort((a, b) => a.sequence - b.sequence);
      const items = newer.slice(0, limit).map(({ item }) => item(known));
      const more = newer.length > limit;
      return { items, upTo: more ? (items.at(-1)?.sequence ?? from) : sequence, more };
    },
    findPolicyBundle: async (_tenantId, digest) => bundles.get(digest),
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    keepBundle: (bytes) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      bundles.set(digest, { bytes });
      return digest;
    },
    put: (tenant) =>
      commit(tenant.id, (at) => {
        const kept = keep(tenants.get(tenant.id), tenant, at);
        tenants.set(tenant.id, kept);
        return (known) => tenantItem(kept, at, known);
      }),
    remove: (tenantId) => {
      tenants.delete(tenantId);
      commit(tenantId, (at) => () => ({
        kind: 'change',
        sequence: at,
        change: { kind: 'remove', sequence: at, tenantId },
      }));
    },
    revoke: (revocation) =>
      commit(`revocation ${revocation.tenantId} ${targetKey(revocation.target)}`, (at) => () => ({
        kind: 'revocation',
        sequence: at,
        revocation,
      })),
    drift: (drift) =>
      commit(`drift ${drift.tenantId} ${drift.serverId}`, (at) => () => ({
        kind: 'drift',
        sequence: at,
        drift,
      })),
    announce: (event) => commit(`event ${event.id}`, (at) => () => ({ kind: 'event', sequence: at, event })),
  };
};
