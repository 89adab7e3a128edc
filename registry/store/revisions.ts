// Reading what a tenant was: its revisions, and the whole of it as it stood after one.

import { assembleTenant } from '#registry/store/present-tenants.ts';
import { resourcesAt } from '#registry/store/resources.ts';
import type { Revision, RevisionSummary, RevisionsPage } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

const summaryFromRow = ({ tenant: _tenant, changes, ...row }: Tables['revisions']): RevisionSummary => ({
  ...row,
  changes: JSON.parse(changes) as string[],
});

/** Revisions in which a resource, or one below it, came to be as it then was. */
const revisionsOf = (database: Database, tenantId: string, resource: string) =>
  database
    .selectFrom('resources')
    .select('revision')
    .where('tenant', '=', tenantId)
    .where(({ or, and, eb }) =>
      or([
        eb('name', '=', resource),
        // "0" follows "/": everything that begins with the name and a slash.
        and([eb('name', '>', `${resource}/`), eb('name', '<', `${resource}0`)]),
      ]),
    );

export const listRevisions = async (
  database: Database,
  tenantId: string,
  page: RevisionsPage,
): Promise<readonly RevisionSummary[]> => {
  const { actor, since, until, resource } = page;
  let query = database
    .selectFrom('revisions')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('number', '<', page.before ?? Number.MAX_SAFE_INTEGER);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<', until);
  if (resource !== undefined) query = query.where('number', 'in', revisionsOf(database, tenantId, resource));
  const rows = await query.orderBy('number', 'desc').limit(page.limit).execute();
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
