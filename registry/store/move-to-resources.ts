// The step that took tenants apart: revisions that held a whole tenant each become resources that are stored when they
// change. Every ETag, every former state and every position of a consumer stays what it was.

import type { DatabaseSync } from 'node:sqlite';
import type { Tenant } from '#core/tenant.ts';
import { changedResources } from '#registry/commands/changed-resources.ts';
import { completeTenant } from '#registry/feed/schema/complete-tenant.ts';

type Row = Readonly<Record<string, unknown>>;

type Moved = { readonly tenant: Tenant | null; readonly born: number | null };

const tenantIn = (row: Row): Tenant | null =>
  row['body'] === null ? null : (completeTenant(JSON.parse(String(row['body']))) as Tenant);

const createResourceMover = (database: DatabaseSync) => {
  const supersede = database.prepare(
    'UPDATE resources SET until = ? WHERE tenant = ? AND name = ? AND until IS NULL',
  );
  const supersedeAll = database.prepare('UPDATE resources SET until = ? WHERE tenant = ? AND until IS NULL');
  const insert = database.prepare('INSERT INTO resources VALUES (?, ?, ?, ?, NULL, ?)');
  return (
    tenantId: string,
    at: { revision: number; sequence: number },
    states: readonly [Tenant | null, Tenant | null],
  ) => {
    const [before, after] = states;
    if (after === null) {
      supersedeAll.run(at.revision, tenantId);
      return;
    }
    for (const { name, before: old, after: body } of changedResources(before ?? undefined, after)) {
      if (old !== undefined) supersede.run(at.revision, tenantId, name);
      insert.run(tenantId, name, at.revision, at.sequence, body === undefined ? null : JSON.stringify(body));
    }
  };
};

const bornAt = (before: Moved | undefined, tenant: Tenant | null, sequence: number): number | null => {
  if (tenant === null) return null;
  return before?.born ?? sequence;
};

/** Replays the revisions of all tenants, oldest first, one in memory at a time. */
export const moveToResources = (database: DatabaseSync): void => {
  const moveResources = createResourceMover(database);
  const insertRevision = database.prepare('INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const upsertTenant = database.prepare('INSERT OR REPLACE INTO tenants VALUES (?, ?, ?, ?)');
  const moved = new Map<string, Moved>();
  const rows: Iterable<Row> = database.prepare('SELECT * FROM whole_revisions ORDER BY sequence').iterate();
  for (const row of rows) {
    const [id, revision, sequence] = [String(row['tenant']), Number(row['number']), Number(row['sequence'])];
    const before = moved.get(id);
    const tenant = tenantIn(row);
    const born = bornAt(before, tenant, sequence);
    moveResources(id, { revision, sequence }, [before?.tenant ?? null, tenant]);
    const { actor, action, reason, at, changes } = row as Record<string, string>;
    insertRevision.run(
      id,
      revision,
      sequence,
      actor ?? '',
      action ?? '',
      reason ?? '',
      at ?? '',
      changes ?? '[]',
    );
    upsertTenant.run(id, revision, sequence, born);
    moved.set(id, { tenant, born });
  }
};
