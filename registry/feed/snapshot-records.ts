// What the copy on disk says, in the words of the feed itself: changes, then how far they bring it. Knows no file. Pure.

import { type DriftState, driftBetween, NO_DRIFT, type ServerDrift } from '#core/drift-book.ts';
import type { Revocation } from '#core/revocation.ts';
import { EMPTY_LOG, type RevocationLog } from '#core/revocation-book.ts';
import type { Snapshot, TenantChange } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantPatch } from '#registry/feed/feed-source.ts';
import { unlikeResources } from '#registry/feed/unlike-resources.ts';

export type SavedSnapshot = {
  readonly epoch: string;
  readonly position: number;
  readonly snapshot: Snapshot;
  /** When the registry last confirmed it, ms since the epoch. */
  readonly freshAtMs: number;
  /** Absent: the service is told none, or did not keep any. */
  readonly revocations?: RevocationLog;
  /** Absent likewise. */
  readonly drift?: DriftState;
};

/** What came before it is complete up to here; what follows the last of these does not count. */
export type CaughtUp = {
  readonly kind: 'caught-up';
  /** Where the feed is continued. */
  readonly position: number;
  readonly sequence: number;
  /** When the registry last confirmed it, ms since the epoch. */
  readonly freshAtMs: number;
  /** The revocations up to here are in the copy. */
  readonly revocations?: true;
  /** What drifts up to here is. */
  readonly drift?: true;
};

/** Some revocations; a mark that is repeated says nothing new. */
export type KeptRevocations = { readonly kind: 'revocations'; readonly revocations: readonly Revocation[] };

/** What drifts of a server from here on. */
export type KeptDrift = { readonly kind: 'drift'; readonly drift: ServerDrift };

export type SnapshotRecord = TenantChange | TenantPatch | KeptRevocations | KeptDrift | CaughtUp;

/** Servers in one record: what is turned into JSON at once holds up the calls that wait meanwhile. */
const SERVERS_PER_RECORD = 16;

/** Revocations in one record, for the same reason. */
const REVOCATIONS_PER_RECORD = 100;

const patchOf = (before: Tenant, after: Tenant, sequence: number): TenantPatch => ({
  kind: 'patch',
  sequence,
  tenantId: after.id,
  revision: after.revision,
  resources: unlikeResources(before, after).map(({ name, after: body }) => ({ name, body: body ?? null })),
});

/** A tenant from nothing, a few servers at a time. */
function* wholeTenant(tenant: Tenant, sequence: number): Generator<SnapshotRecord> {
  const upTo = (count: number): Tenant => ({ ...tenant, servers: tenant.servers.slice(0, count) });
  yield { kind: 'upsert', sequence, tenant: upTo(SERVERS_PER_RECORD) };
  for (let count = SERVERS_PER_RECORD; count < tenant.servers.length; count += SERVERS_PER_RECORD)
    yield patchOf(upTo(count), upTo(count + SERVERS_PER_RECORD), sequence);
}

/** Changes that make `after` of `before`. What both share is told by identity and costs nothing. */
export function* recordsBetween(before: Snapshot, after: Snapshot): Generator<SnapshotRecord> {
  const { sequence } = after;
  const old = new Map(before.tenants.map((tenant) => [tenant.id, tenant]));
  for (const tenant of after.tenants) {
    const known = old.get(tenant.id);
    old.delete(tenant.id);
    if (known === undefined) yield* wholeTenant(tenant, sequence);
    else if (known !== tenant) yield patchOf(known, tenant, sequence);
  }
  for (const tenantId of old.keys()) yield { kind: 'remove', sequence, tenantId };
}

/** What was added to a log, `after` being the same list or another one that is told from its beginning. */
export function* revocationsBetween(
  before: RevocationLog = EMPTY_LOG,
  after: RevocationLog = EMPTY_LOG,
): Generator<KeptRevocations> {
  const from = before.entries === after.entries ? before.length : 0;
  for (let at = from; at < after.length; at += REVOCATIONS_PER_RECORD) {
    const end = Math.min(at + REVOCATIONS_PER_RECORD, after.length);
    yield { kind: 'revocations', revocations: after.entries.slice(at, end) };
  }
}

/** Servers of which something else drifts than before. */
export const driftRecords = (
  before: DriftState = NO_DRIFT,
  after: DriftState = NO_DRIFT,
): readonly KeptDrift[] => driftBetween(before, after).map((drift) => ({ kind: 'drift', drift }));
