// Rows of the SQLite tables and our words, in both directions.

import type { FeedEvent } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import type { FeedItem } from '#registry/feed/feed-source.ts';
import { completeTenant } from '#registry/feed/schema/complete-tenant.ts';
import type { ResourceStamps } from '#registry/store/resource-stamps.ts';
import type { AuditRecord, Revision, RevisionSummary, StoredTenant } from '#registry/store/store.ts';

export type Row = Record<string, unknown>;

const text = (row: Row, column: string): string => String(row[column]);
const json = (row: Row, column: string): unknown => JSON.parse(text(row, column));
const tenantIn = (row: Row): Tenant => completeTenant(json(row, 'body')) as Tenant;

export const storedTenantFromRow = (row: Row): StoredTenant => ({
  tenant: tenantIn(row),
  sequence: Number(row['sequence']),
  stamps: json(row, 'stamps') as ResourceStamps,
});

export const revisionSummaryFromRow = (row: Row): RevisionSummary => ({
  number: Number(row['number']),
  sequence: Number(row['sequence']),
  actor: text(row, 'actor'),
  action: text(row, 'action'),
  reason: text(row, 'reason'),
  at: text(row, 'at'),
  changes: json(row, 'changes') as string[],
});

export const revisionFromRow = (row: Row): Revision => ({
  ...revisionSummaryFromRow(row),
  tenant: row['body'] === null ? null : tenantIn(row),
});

export const auditRecordFromRow = (row: Row): AuditRecord => ({
  sequence: Number(row['sequence']),
  tenantId: text(row, 'tenant'),
  actor: text(row, 'actor'),
  action: text(row, 'action'),
  reason: text(row, 'reason'),
  at: text(row, 'at'),
  previous: text(row, 'previous'),
  digest: text(row, 'digest'),
});

/** A row of the feed's query: `kind` says which table it came from. */
export const feedItemFromRow = (row: Row): FeedItem => {
  const sequence = Number(row['sequence']);
  if (row['kind'] === 'event') return { kind: 'event', sequence, event: json(row, 'body') as FeedEvent };
  return {
    kind: 'change',
    sequence,
    change:
      row['kind'] === 'upsert'
        ? { kind: 'upsert', sequence, tenant: tenantIn(row) }
        : { kind: 'remove', sequence, tenantId: text(row, 'body') },
  };
};
