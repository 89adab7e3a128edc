// A consumer's copy of the registry, as a value and its transitions. What arrives is drafted, and shown only when the
// registry says that it is complete up to a sequence, so nobody sees half of a catch-up. Knows no stream and no clock.

import type { TenantChange } from '#core/snapshot.ts';
import { applyTenantChange, EMPTY_SNAPSHOT, findTenant, type Snapshot } from '#core/snapshot.ts';

export type ReceivedCopy = {
  /** Database the copy came from; empty for none. */
  readonly epoch: string;
  /** Where a new connection continues. */
  readonly position: number;
  readonly published: Snapshot;
  readonly draft: Snapshot;
  /**
   * Tenants whose newest state could not be understood; their last good one stays. While there is any, the copy is
   * not current: the position stands still, so the next connection asks for them again.
   */
  readonly unreadable: ReadonlySet<string>;
};

export const EMPTY_COPY: ReceivedCopy = {
  epoch: '',
  position: 0,
  published: EMPTY_SNAPSHOT,
  draft: EMPTY_SNAPSHOT,
  unreadable: new Set(),
};

/** The copy as it was read from disk. */
export const copyFromDisk = (epoch: string, position: number, snapshot: Snapshot): ReceivedCopy => ({
  ...EMPTY_COPY,
  epoch,
  position,
  published: snapshot,
  draft: snapshot,
});

/** A connection begins. After a reset what is published goes on being served until the new world is complete. */
export const onHello = (
  copy: ReceivedCopy,
  hello: { readonly epoch: string; readonly reset: boolean },
): ReceivedCopy => ({
  epoch: hello.epoch,
  position: hello.reset ? 0 : copy.position,
  published: copy.published,
  draft: hello.reset ? EMPTY_SNAPSHOT : copy.published,
  unreadable: new Set(),
});

const without = (names: ReadonlySet<string>, name: string): ReadonlySet<string> =>
  names.has(name) ? new Set([...names].filter((other) => other !== name)) : names;

export const onChange = (copy: ReceivedCopy, change: TenantChange): ReceivedCopy => ({
  ...copy,
  draft: applyTenantChange(copy.draft, change),
  unreadable: without(copy.unreadable, change.kind === 'upsert' ? change.tenant.id : change.tenantId),
});

/** A change nobody here understands: the last good state of its tenant stays, also across a reset. */
export const onUnreadableChange = (copy: ReceivedCopy, tenantId: string): ReceivedCopy => {
  const lastGood = findTenant(copy.draft, tenantId) ?? findTenant(copy.published, tenantId);
  const draft =
    lastGood === undefined
      ? copy.draft
      : applyTenantChange(copy.draft, {
          kind: 'upsert',
          sequence: copy.draft.sequence,
          tenant: lastGood,
        });
  return { ...copy, draft, unreadable: new Set([...copy.unreadable, tenantId]) };
};

/** The draft is complete. `published` changes its identity only if something in it changed. */
export const onCaughtUp = (copy: ReceivedCopy, sequence: number): ReceivedCopy => ({
  ...copy,
  position: copy.unreadable.size === 0 ? sequence : copy.position,
  published: copy.draft,
});
