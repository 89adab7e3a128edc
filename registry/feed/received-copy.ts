// A consumer's copy of the registry, as a value and its transitions. What arrives is drafted, and shown only when the
// registry says that it is complete up to a sequence, so nobody sees half of a catch-up. Knows no stream and no clock.

import { err, type Result } from '#core/result.ts';
import type { TenantChange } from '#core/snapshot.ts';
import { applyTenantChange, EMPTY_SNAPSHOT, findTenant, type Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { applyResources, type ResourceState } from '#registry/feed/apply-resources.ts';
import type { TenantPatch } from '#registry/feed/feed-source.ts';
import { findExcess, judgeResource } from '#registry/feed/schema/parse-patch.ts';

export type ReceivedCopy = {
  /** Database the copy came from; empty for none. */
  readonly epoch: string;
  /** Where a new connection continues. */
  readonly position: number;
  readonly published: Snapshot;
  readonly draft: Snapshot;
  /**
   * Tenants whose newest state could not be understood; their last good one stays. While there is any, the copy is
   * not current: the position stands still, so the next connection asks for them again. With each what has changed
   * of it since its last good state, by name, so that the change that mends it can be put on top; or `lost`.
   */
  readonly unreadable: ReadonlyMap<string, Pending>;
};

export type Pending = ReadonlyMap<string, ResourceState> | 'lost';

export const EMPTY_COPY: ReceivedCopy = {
  epoch: '',
  position: 0,
  published: EMPTY_SNAPSHOT,
  draft: EMPTY_SNAPSHOT,
  unreadable: new Map(),
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
  unreadable: new Map(),
});

const without = (pending: ReceivedCopy['unreadable'], id: string): ReceivedCopy['unreadable'] =>
  pending.has(id) ? new Map([...pending].filter(([other]) => other !== id)) : pending;

export const onChange = (copy: ReceivedCopy, change: TenantChange): ReceivedCopy => ({
  ...copy,
  draft: applyTenantChange(copy.draft, change),
  unreadable: without(copy.unreadable, change.kind === 'upsert' ? change.tenant.id : change.tenantId),
});

/** A change nobody here understands: the last good state of its tenant stays, also across a reset. */
export const onUnreadableChange = (
  copy: ReceivedCopy,
  tenantId: string,
  pending: Pending = 'lost',
): ReceivedCopy => {
  const lastGood = findTenant(copy.draft, tenantId) ?? findTenant(copy.published, tenantId);
  const draft =
    lastGood === undefined
      ? copy.draft
      : applyTenantChange(copy.draft, {
          kind: 'upsert',
          sequence: copy.draft.sequence,
          tenant: lastGood,
        });
  return { ...copy, draft, unreadable: new Map([...copy.unreadable, [tenantId, pending]]) };
};

const patchTenant = (
  base: Tenant,
  revision: number,
  states: Iterable<ResourceState>,
): Result<Tenant, string> => {
  const judged = [...states].map(judgeResource);
  const faulty = judged.find((resource) => !resource.ok);
  if (faulty !== undefined && !faulty.ok) return faulty;
  const good = judged.flatMap((resource) => (resource.ok ? [resource.value] : []));
  const tenant = applyResources(base, { id: base.id, revision }, good);
  const excess = tenant.ok ? findExcess(tenant.value) : undefined;
  return excess === undefined ? tenant : err(excess);
};

export type Patched = {
  readonly copy: ReceivedCopy;
  /** What could not be understood, if anything. */
  readonly fault?: string;
  /** The copy lacks what the patch is about: only a connection that begins again can bring it. */
  readonly mustReconnect: boolean;
};

/** What changed of a tenant, put on top of what the copy has of it, together with what could not be read before. */
export const onPatch = (copy: ReceivedCopy, patch: TenantPatch): Patched => {
  const { tenantId, revision, sequence, resources } = patch;
  const before = copy.unreadable.get(tenantId) ?? new Map<string, ResourceState>();
  const base = findTenant(copy.draft, tenantId);
  if (before === 'lost' || base === undefined)
    return { copy: onUnreadableChange(copy, tenantId), fault: tenantId, mustReconnect: true };
  const pending = new Map([...before, ...resources.map((state) => [state.name, state] as const)]);
  const tenant = patchTenant(base, revision, pending.values());
  return tenant.ok
    ? { copy: onChange(copy, { kind: 'upsert', sequence, tenant: tenant.value }), mustReconnect: false }
    : { copy: onUnreadableChange(copy, tenantId, pending), fault: tenant.error, mustReconnect: false };
};

/** The draft is complete. `published` changes its identity only if something in it changed. */
export const onCaughtUp = (copy: ReceivedCopy, sequence: number): ReceivedCopy => ({
  ...copy,
  position: copy.unreadable.size === 0 ? sequence : copy.position,
  published: copy.draft,
});
