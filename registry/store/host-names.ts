// The table of host names: whose each is, once over all tenants. Written inside the transaction of the change it belongs
// to, so that no two tenants can come to have a name, whichever registry they were written by.

import type { ChangedResource } from '#registry/commands/changed-resources.ts';
import { HOSTS_NAME } from '#registry/commands/resources.ts';
import type { Database } from '#registry/store/tables.ts';

/** Which tenants have these names; a name that nobody has is not in it. */
export const findHostHolders = async (
  database: Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = await database.selectFrom('host_names').selectAll().where('name', 'in', names).execute();
  return new Map(rows.map(({ name, tenant }) => [name, tenant]));
};

/** Gives back all names of a tenant. */
export const releaseHosts = async (database: Database, tenant: string): Promise<void> => {
  await database.deleteFrom('host_names').where('tenant', '=', tenant).execute();
};

/** Takes the names a change gives its tenant in place of those it had. False: one of them is another tenant's. */
export const takeHosts = async (
  database: Database,
  tenant: string,
  changed: readonly ChangedResource[],
): Promise<boolean> => {
  const hosts = changed.find(({ name }) => name === HOSTS_NAME);
  if (hosts === undefined) return true;
  await releaseHosts(database, tenant);
  const { names } = (hosts.after ?? { names: [] }) as { readonly names: readonly string[] };
  for (const name of names) {
    const inserted = await database
      .insertInto('host_names')
      .values({ name, tenant })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
  }
  return true;
};
