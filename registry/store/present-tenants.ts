// Tenants as they stand, in memory: parsed once, then brought forward by the resources that changed, also where another
// process wrote them. What is unchanged stays the same objects, which makes every comparison cheap.

import { LRUCache } from 'lru-cache';
import { GatewayError } from '#core/gateway-error.ts';
import type { Tenant } from '#core/tenant.ts';
import { applyResources, type ResourceState } from '#registry/feed/apply-resources.ts';
import { completeResource } from '#registry/feed/schema/complete-tenant.ts';
import type { StoredTenant } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

/** Characters of stored JSON kept parsed; more is read again when it is asked for. */
const MAX_KEPT_CHARACTERS = 256 * 1024 * 1024;

/** A tenant's row: how far it is. `born`: sequence with which its present life began. */
export type Head = {
  readonly id: string;
  readonly revision: number;
  readonly sequence: number;
  readonly born: number;
};

export type PresentTenant = {
  readonly head: Head;
  readonly stored: StoredTenant;
  /** Characters of its resources as JSON, about. */
  readonly size: number;
};

type ResourceRow = { readonly name: string; readonly revision: number; readonly body: string | null };

export const stateFromRow = ({ name, body }: Pick<ResourceRow, 'name' | 'body'>): ResourceState => ({
  name,
  body: body === null ? null : (completeResource(name, JSON.parse(body)) as object),
});

/** @throws GatewayError `store_failed`: the rows do not make a tenant. */
export const assembleTenant = (
  base: Tenant | undefined,
  at: { readonly id: string; readonly revision: number },
  states: readonly ResourceState[],
): Tenant => {
  const { id, revision } = at;
  const tenant = applyResources(base, { id, revision }, states);
  if (tenant.ok) return tenant.value;
  throw new GatewayError('store_failed', `tenant ${id} cannot be put together: ${tenant.error} is missing`);
};

const presentRows = (database: Database, tenantId: string, after: number): Promise<ResourceRow[]> =>
  database
    .selectFrom('resources')
    .select(['name', 'revision', 'body'])
    .where('tenant', '=', tenantId)
    .where('until', 'is', null)
    .where('sequence', '>', after)
    .execute();

/** A resource that changed, with the characters of its JSON. */
export type ChangedState = ResourceState & { readonly revision: number; readonly size: number };

const changedStateFromRow = (row: ResourceRow): ChangedState => ({
  ...stateFromRow(row),
  revision: row.revision,
  size: row.body?.length ?? 0,
});

/** The tenant of `head`, made from the one it was and every resource that has changed since. */
export const bringForward = (
  base: PresentTenant | undefined,
  head: Head,
  states: readonly ChangedState[],
): PresentTenant => {
  const tenant = assembleTenant(base?.stored.tenant, head, states);
  const stamps: Record<string, number> = { ...base?.stored.stamps };
  let size = base?.size ?? 0;
  for (const state of states) {
    if (state.body === null) delete stamps[state.name];
    else stamps[state.name] = state.revision;
    size += state.size;
  }
  return { head, stored: { tenant, sequence: head.sequence, stamps }, size };
};

export const findHead = async (database: Database, tenantId: string): Promise<Head | undefined> => {
  const row = await database.selectFrom('tenants').selectAll().where('id', '=', tenantId).executeTakeFirst();
  return row === undefined || row.born === null ? undefined : { ...row, born: row.born };
};

export type PresentTenants = {
  /** The tenant of this head. To be called in the transaction that read the head. */
  load(database: Database, head: Head): Promise<PresentTenant>;
  find(database: Database, tenantId: string): Promise<PresentTenant | undefined>;
  /** Takes in what has been committed. */
  keep(present: PresentTenant): void;
};

/** An empty memory of tenants. What it holds has been committed; what it is asked for decides what it holds. */
export const createPresentTenants = (): PresentTenants => {
  const kept = new LRUCache<string, PresentTenant>({
    maxSize: MAX_KEPT_CHARACTERS,
    sizeCalculation: ({ size }) => size + 1,
  });
  // A reader of an older state must not take back what a faster one has seen.
  const keep = (present: PresentTenant): void => {
    const { id, sequence } = present.head;
    if ((kept.get(id)?.head.sequence ?? 0) < sequence) kept.set(id, present);
  };
  const load = async (database: Database, head: Head): Promise<PresentTenant> => {
    const known = kept.get(head.id);
    const isOfThisLife = known?.head.born === head.born && known.head.sequence <= head.sequence;
    const base = isOfThisLife ? known : undefined;
    if (base?.head.sequence === head.sequence) return base;
    const rows = await presentRows(database, head.id, base?.head.sequence ?? 0);
    const present = bringForward(base, head, rows.map(changedStateFromRow));
    keep(present);
    return present;
  };
  return {
    load,
    keep,
    find: async (database, tenantId) => {
      const head = await findHead(database, tenantId);
      return head === undefined ? undefined : load(database, head);
    },
  };
};
