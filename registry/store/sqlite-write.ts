// The two writes of the SQLite store. Each is called inside one IMMEDIATE transaction and leaves tables that agree:
// state, revision, audit record and sequence move together.

import type { DatabaseSync } from 'node:sqlite';
import type { FeedEvent } from '#core/feed-message.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { auditDigest, CHAIN_START } from '#registry/store/audit-chain.ts';
import { stampResources } from '#registry/store/resource-stamps.ts';
import { insertManifest, isSpent, markVersions, spendId } from '#registry/store/sqlite-manifests.ts';
import type {
  ChangeRecord,
  Committed,
  Publication,
  StoredTenant,
  TenantWrite,
} from '#registry/store/store.ts';

/** How long a consumer may be away and still hear of an event, milliseconds. Streams it missed are long over then. */
const EVENT_LIFE_MS = 3_600_000;

const nextSequence = (database: DatabaseSync): number =>
  Number(
    database
      .prepare(
        "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'sequence' RETURNING value",
      )
      .get()?.['value'],
  );

const appendAudit = (
  database: DatabaseSync,
  entry: { readonly sequence: number; readonly tenantId: string; readonly record: ChangeRecord },
): void => {
  const { sequence, tenantId, record } = entry;
  const last = database.prepare('SELECT digest FROM audit ORDER BY sequence DESC LIMIT 1').get();
  const previous = last === undefined ? CHAIN_START : String(last['digest']);
  const digest = auditDigest({ ...record, sequence, tenantId, previous });
  database
    .prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    .run(sequence, tenantId, record.actor, record.action, record.reason, record.at, previous, digest);
};

const appendRevision = (
  database: DatabaseSync,
  write: TenantWrite,
  after: { readonly revision: number; readonly sequence: number; readonly body: string | null },
): void => {
  const { tenantId, record, changes } = write;
  database
    .prepare('INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(
      tenantId,
      after.revision,
      after.sequence,
      record.actor,
      record.action,
      record.reason,
      record.at,
      JSON.stringify(changes),
      after.body,
    );
};

const upsertTenant = (database: DatabaseSync, stored: StoredTenant, body: string): void => {
  const { tenant, sequence, stamps } = stored;
  database.prepare('DELETE FROM tombstones WHERE tenant = ?').run(tenant.id);
  database
    .prepare('INSERT OR REPLACE INTO tenants VALUES (?, ?, ?, ?, ?)')
    .run(tenant.id, tenant.revision, sequence, body, JSON.stringify(stamps));
};

const removeTenant = (database: DatabaseSync, tenantId: string, committed: Committed): void => {
  database.prepare('DELETE FROM tenants WHERE id = ?').run(tenantId);
  database
    .prepare('INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)')
    .run(tenantId, committed.revision, committed.sequence);
};

const revisionIn = (
  database: DatabaseSync,
  table: 'tenants' | 'tombstones',
  id: string,
): number | undefined => {
  const column = table === 'tenants' ? 'id' : 'tenant';
  const row = database.prepare(`SELECT revision FROM ${table} WHERE ${column} = ?`).get(id);
  return row === undefined ? undefined : Number(row['revision']);
};

/** A tenant made again goes on counting where the removed one ended: an old ETag must not come true again. */
const nextRevision = (database: DatabaseSync, { tenantId, before }: TenantWrite): number =>
  (before?.tenant.revision ?? revisionIn(database, 'tombstones', tenantId) ?? 0) + 1;

const publish = (database: DatabaseSync, publication: Publication, write: TenantWrite): void => {
  spendId(database, publication.id, Math.floor(Date.parse(write.record.at) / 1_000));
  insertManifest(database, write.tenantId, publication);
};

const commitTenant = (database: DatabaseSync, write: TenantWrite): Committed => {
  const revision = nextRevision(database, write);
  const sequence = nextSequence(database);
  const tenant: Tenant | null = write.tenant === null ? null : { ...write.tenant, revision };
  const body = tenant === null ? null : JSON.stringify(tenant);
  appendRevision(database, write, { revision, sequence, body });
  appendAudit(database, { sequence, tenantId: write.tenantId, record: write.record });
  if (tenant === null || body === null) {
    removeTenant(database, write.tenantId, { revision, sequence });
    return { revision, sequence };
  }
  const stored = { tenant, sequence, stamps: stampResources(write.before, tenant, revision) };
  upsertTenant(database, stored, body);
  markVersions(database, write.before?.tenant, tenant);
  if (write.publication !== undefined) publish(database, write.publication, write);
  return { stored, revision, sequence };
};

/** Writes a tenant, or its removal, if it still is at the revision the change was made from. */
export const writeTenant = (database: DatabaseSync, write: TenantWrite): Result<Committed, 'stale'> => {
  const current = revisionIn(database, 'tenants', write.tenantId);
  const isExpected = current === write.before?.tenant.revision;
  if (!isExpected || (current === undefined && write.tenant === null)) return err('stale');
  if (write.publication !== undefined && isSpent(database, write.publication.id)) return err('stale');
  return ok(commitTenant(database, write));
};

/** Writes an event and lets go of those nobody can still need. */
export const writeEvent = (database: DatabaseSync, event: FeedEvent, record: ChangeRecord): number => {
  const sequence = nextSequence(database);
  const oldest = new Date(Date.parse(event.at) - EVENT_LIFE_MS).toISOString();
  database.prepare('DELETE FROM events WHERE at < ?').run(oldest);
  database.prepare('INSERT INTO events VALUES (?, ?, ?)').run(sequence, event.at, JSON.stringify(event));
  appendAudit(database, { sequence, tenantId: event.tenantId, record });
  return sequence;
};
