// Reading what a tenant was: its revisions, and the whole of it as it stood after one.

import { assembleTenant } from '#registry/store/present-tenants.ts';
import { resourcesAt } from '#registry/store/resources.ts';
import type { Page, Revision, RevisionSummary } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

const summaryFromRow = ({ tenant: _tenant, changes, ...row }: Tables['revisions']): RevisionSummary => ({
  ...row,
  changes: JSON.parse(changes) as string[],
});

export const listRevisions = async (
  database: Database,
  tenantId: string,
  page: Page,
): Promise<readonly RevisionSummary[]> => {
  const rows = await database
    .selectFrom('revisions')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('number', '<', page.before ?? Number.MAX_SAFE_INTEGER)
    .orderBy('number', 'desc')
    .limit(page.limit)
    .execute();
  return rows.map(summaryFromRow);
};

export const findRevision = async (
  database: Database,
  tenantId: string,
  number: number,
): Promise<Revision | undefined> => {
  const row = await database
    .selectFrom('revisions')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('number', '=', number)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const states = await resourcesAt(database, tenantId, number);
  const tenant =
    states.length === 0 ? null : assembleTenant(undefined, { id: tenantId, revision: number }, states);
  return { ...summaryFromRow(row), tenant };
};
