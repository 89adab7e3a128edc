// Everything at one sequence: an immutable value that is replaced whole, never edited.

import type { Tenant } from '#core/tenant.ts';

export type Snapshot = {
  /** Number of the last commit of any tenant; orders snapshots of one registry. */
  readonly sequence: number;
  /** Sorted by id, so equal worlds are equal values. */
  readonly tenants: readonly Tenant[];
};

export const EMPTY_SNAPSHOT: Snapshot = { sequence: 0, tenants: [] };

/** One committed change as the feed carries it: the tenant as it stands after, or its removal. */
export type TenantChange =
  | { readonly kind: 'upsert'; readonly sequence: number; readonly tenant: Tenant }
  | { readonly kind: 'remove'; readonly sequence: number; readonly tenantId: string };

/** Where the tenant of this id is, or would be. */
const placeOf = (tenants: readonly Tenant[], id: string): number => {
  let [low, high] = [0, tenants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tenants[middle]?.id ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const findTenant = ({ tenants }: Snapshot, tenantId: string): Tenant | undefined => {
  const tenant = tenants[placeOf(tenants, tenantId)];
  return tenant?.id === tenantId ? tenant : undefined;
};

/** The snapshot after one change. The sequence never goes back: a resumed feed repeats current states in any order. */
export const applyTenantChange = (snapshot: Snapshot, change: TenantChange): Snapshot => {
  const { tenants } = snapshot;
  const changedId = change.kind === 'upsert' ? change.tenant.id : change.tenantId;
  const place = placeOf(tenants, changedId);
  const replaced = tenants[place]?.id === changedId ? 1 : 0;
  return {
    sequence: Math.max(snapshot.sequence, change.sequence),
    tenants: tenants.toSpliced(place, replaced, ...(change.kind === 'upsert' ? [change.tenant] : [])),
  };
};
