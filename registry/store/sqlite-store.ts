// The store on SQLite, in this process. Statements are synchronous and short; the port is asynchronous for the
// stores that are not.

import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { FeedBatch, FeedItem } from '#registry/feed/feed-source.ts';
import { findBrokenLink } from '#registry/store/audit-chain.ts';
import {
  guardStore,
  inReadTransaction,
  inTransaction,
  openDatabase,
} from '#registry/store/sqlite-database.ts';
import {
  digestOfVersion,
  findManifest,
  isSpent,
  listManifests,
  spendId,
  versionsEverPublished,
} from '#registry/store/sqlite-manifests.ts';
import {
  auditRecordFromRow,
  feedItemFromRow,
  type Row,
  revisionFromRow,
  revisionSummaryFromRow,
  storedTenantFromRow,
} from '#registry/store/sqlite-rows.ts';
import { migrate } from '#registry/store/sqlite-schema.ts';
import { writeEvent, writeTenant } from '#registry/store/sqlite-write.ts';
import type { Page, Store } from '#registry/store/store.ts';

const FEED_QUERY = `
  SELECT 'upsert' AS kind, sequence, body FROM tenants WHERE sequence > :from
  UNION ALL SELECT 'remove', sequence, tenant FROM tombstones WHERE sequence > :from
  UNION ALL SELECT 'event', sequence, body FROM events WHERE sequence > :from
  ORDER BY sequence LIMIT :limit`;

const REVISIONS_QUERY = `
  SELECT number, sequence, actor, action, reason, at, changes FROM revisions
  WHERE tenant = :tenant AND number < :before ORDER BY number DESC LIMIT :limit`;

const AUDIT_QUERY = `
  SELECT * FROM audit WHERE tenant = :tenant AND sequence < :before ORDER BY sequence DESC LIMIT :limit`;

/** Characters of bodies after which a batch ends: a tenant may have millions, and a stream holds its batch while the peer is slow. */
const MAX_BATCH_SIZE = 8 * 1024 * 1024;

const metaValue = (database: DatabaseSync, key: string): string =>
  String(database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value']);

const lastSequence = (database: DatabaseSync): number => Number(metaValue(database, 'sequence'));

const readBatch = (database: DatabaseSync, from: number, limit: number): FeedBatch =>
  inReadTransaction(database, () => {
    const items: FeedItem[] = [];
    let size = 0;
    // One more than asked for tells whether there is more.
    for (const row of database.prepare(FEED_QUERY).iterate({ from, limit: limit + 1 })) {
      if (items.length === limit || size >= MAX_BATCH_SIZE)
        return { items, upTo: items.at(-1)?.sequence ?? from, more: true };
      items.push(feedItemFromRow(row));
      size += String(row['body']).length;
    }
    return { items, upTo: lastSequence(database), more: false };
  });

const pageParameters = (tenant: string, page: Page) => ({
  tenant,
  before: page.before ?? Number.MAX_SAFE_INTEGER,
  limit: page.limit,
});

function* mapRows<T>(rows: Iterable<Row>, convert: (row: Row) => T): Generator<T> {
  for (const row of rows) yield convert(row);
}

const createManifestReads = (
  database: DatabaseSync,
): Pick<Store, 'listManifests' | 'findManifest' | 'findPublished' | 'isSpent'> => ({
  listManifests: async (tenantId, page) => guardStore(() => listManifests(database, tenantId, page)),
  findManifest: async (tenantId, digest) => guardStore(() => findManifest(database, tenantId, digest)),
  findPublished: async (tenantId, version) =>
    inReadTransaction(database, () => ({
      versions: versionsEverPublished(database, tenantId, version.serverId),
      digestOfVersion: digestOfVersion(database, tenantId, version),
    })),
  isSpent: async (id) => guardStore(() => isSpent(database, id)),
});

const createReads = (
  database: DatabaseSync,
): Omit<Store, 'epoch' | 'write' | 'announce' | 'spend' | 'onCommit' | 'close'> => ({
  ...createManifestReads(database),
  lastSequence: async () => guardStore(() => lastSequence(database)),
  readAfter: async (from, limit) => readBatch(database, from, limit),
  findTenant: async (tenantId) =>
    guardStore(() => {
      const row = database.prepare('SELECT * FROM tenants WHERE id = ?').get(tenantId);
      return row === undefined ? undefined : storedTenantFromRow(row);
    }),
  listTenants: async () =>
    guardStore(() => database.prepare('SELECT * FROM tenants ORDER BY id').all().map(storedTenantFromRow)),
  listRevisions: async (tenantId, page) =>
    guardStore(() =>
      database.prepare(REVISIONS_QUERY).all(pageParameters(tenantId, page)).map(revisionSummaryFromRow),
    ),
  findRevision: async (tenantId, number) =>
    guardStore(() => {
      const query = 'SELECT * FROM revisions WHERE tenant = ? AND number = ?';
      const row = database.prepare(query).get(tenantId, number);
      return row === undefined ? undefined : revisionFromRow(row);
    }),
  listAudit: async (tenantId, page) =>
    guardStore(() =>
      database.prepare(AUDIT_QUERY).all(pageParameters(tenantId, page)).map(auditRecordFromRow),
    ),
  findAuditFault: async () =>
    inReadTransaction(database, () => {
      const rows = database.prepare('SELECT * FROM audit ORDER BY sequence').iterate();
      return findBrokenLink(mapRows(rows, auditRecordFromRow));
    }),
});

/**
 * Opens the store in the file at `path`, creating it and its directory (0700) where needed.
 * @throws GatewayError `store_failed` if it cannot be opened or was written by a newer program.
 */
export const openSqliteStore = (path: string): Store => {
  const database = openDatabase(path);
  guardStore(() => migrate(database, randomUUID()));
  const listeners = new Set<() => void>();
  const commit = <T>(work: () => T): T => {
    const result = inTransaction(database, work);
    for (const listener of listeners) listener();
    return result;
  };
  return {
    ...createReads(database),
    epoch: metaValue(database, 'epoch'),
    write: async (write) => commit(() => writeTenant(database, write)),
    announce: async (event, record) => commit(() => writeEvent(database, event, record)),
    spend: async (id, nowSeconds) => inTransaction(database, () => spendId(database, id, nowSeconds)),
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => guardStore(() => database.close()),
  };
};
