// Reading what a tenant was: its revisions, and the whole of it as it stood after one.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { actorsOf } from '#registry/store/audit-log.ts';
import { pseudonymsOf } from '#registry/store/audit-subjects.ts';
import { assembleTenant } from '#registry/store/present-tenants.ts';
import { resourcesAt } from '#registry/store/resources.ts';
import type { Revision, RevisionSummary, RevisionsPage } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** Revisions from before actors were sealed have them in their row. */
const summariesFromRows = async (
  database: Database,
  keys: AuditKeys,
  rows: readonly Tables['revisions'][],
): Promise<RevisionSummary[]> => {
  const sealed = rows.filter(({ actor }) => actor === '').map(({ sequence }) => sequence);
  const actors = await actorsOf(database, keys, sealed);
  return rows.map(({ tenant: _tenant, changes, actor, ...row }) => ({
    ...row,
    actor: actor === '' ? (actors.get(row.sequence) ?? '') : actor,
    changes: JSON.parse(changes) as string[],
  }));
};

/** Sequences of the commits a principal made since actors are sealed. */
const commitsOf = (database: Database, keys: AuditKeys, actor: string) =>
  database
    .selectFrom('audit_records')
    .select('sequence')
    .where('subject', 'in', pseudonymsOf(keys, actor))
    .where('sequence', 'is not', null)
    .$castTo<{ sequence: number }>();

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
  keys: AuditKeys,
  { tenantId, page }: { readonly tenantId: string; readonly page: RevisionsPage },
): Promise<readonly RevisionSummary[]> => {
  const { actor, since, until, resource } = page;
  let query = database
    .selectFrom('revisions')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('number', '<', page.before ?? Number.MAX_SAFE_INTEGER);
  if (actor !== undefined)
    query = query.where(({ or, eb }) =>
      or([eb('actor', '=', actor), eb('sequence', 'in', commitsOf(database, keys, actor))]),
    );
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<', until);
  if (resource !== undefined) query = query.where('number', 'in', revisionsOf(database, tenantId, resource));
  const rows = await query.orderBy('number', 'desc').limit(page.limit).execute();
  return summariesFromRows(database, keys, rows);
};

export const findRevision = async (
  database: Database,
  keys: AuditKeys,
  { tenantId, number }: { readonly tenantId: string; readonly number: number },
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
  const [summary] = await summariesFromRows(database, keys, [row]);
  return summary === undefined ? undefined : { ...summary, tenant };
};
