// The table of resource states: one row for each state a resource was ever in, valid from `revision` to before `until`.

import type { ChangedResource } from '#registry/commands/changed-resources.ts';
import type { ResourceState } from '#registry/feed/apply-resources.ts';
import { type ChangedState, stateFromRow } from '#registry/store/present-tenants.ts';
import type { Database } from '#registry/store/tables.ts';

/** Rows of one statement: both databases bound the number of parameters. */
const ROWS_AT_ONCE = 500;

const chunksOf = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / ROWS_AT_ONCE) }, (_, at) =>
    items.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE),
  );

type Place = { readonly tenant: string; readonly revision: number; readonly sequence: number };

const supersede = async (database: Database, place: Place, names: readonly string[]): Promise<void> => {
  for (const some of chunksOf(names))
    await database
      .updateTable('resources')
      .set({ until: place.revision })
      .where('tenant', '=', place.tenant)
      .where('until', 'is', null)
      .where('name', 'in', some)
      .execute();
};

/** Writes the new states of what changed; a resource that is gone has a state without a body. */
export const insertResources = async (
  database: Database,
  place: Place,
  changed: readonly ChangedResource[],
): Promise<readonly ChangedState[]> => {
  const texts = changed.map(({ name, after }) => ({
    name,
    body: after === undefined ? null : JSON.stringify(after),
  }));
  // Also what was not there: it may have been, and then its absence is a state of its own.
  await supersede(
    database,
    place,
    texts.map(({ name }) => name),
  );
  for (const rows of chunksOf(texts))
    await database
      .insertInto('resources')
      .values(rows.map((row) => ({ ...place, ...row, until: null })))
      .execute();
  return changed.map(({ name, after }, at) => ({
    name,
    body: after ?? null,
    revision: place.revision,
    size: texts[at]?.body?.length ?? 0,
  }));
};

/** Ends every present state of a tenant that is removed. */
export const supersedeAll = async (database: Database, tenantId: string, revision: number): Promise<void> => {
  await database
    .updateTable('resources')
    .set({ until: revision })
    .where('tenant', '=', tenantId)
    .where('until', 'is', null)
    .execute();
};

/** The resources of a tenant as they stood at a revision; none where there was no tenant. */
export const resourcesAt = async (
  database: Database,
  tenantId: string,
  revision: number,
): Promise<readonly ResourceState[]> => {
  const rows = await database
    .selectFrom('resources')
    .select(['name', 'body'])
    .where('tenant', '=', tenantId)
    .where('revision', '<=', revision)
    .where((where) => where.or([where('until', 'is', null), where('until', '>', revision)]))
    .where('body', 'is not', null)
    .execute();
  return rows.map(stateFromRow);
};
