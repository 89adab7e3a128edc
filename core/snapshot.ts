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

export const findTenant = (snapshot: Snapshot, tenantId: string): Tenant | undefined =>
  snapshot.tenants.find((tenant) => tenant.id === tenantId);

/** The snapshot after one change. The sequence never goes back: a resumed feed repeats current states in any order. */
export const applyTenantChange = (snapshot: Snapshot, change: TenantChange): Snapshot => {
  const changedId = change.kind === 'upsert' ? change.tenant.id : change.tenantId;
  const others = snapshot.tenants.filter((tenant) => tenant.id !== changedId);
  const tenants = change.kind === 'upsert' ? [...others, change.tenant] : others;
  return {
    sequence: Math.max(snapshot.sequence, change.sequence),
    tenants: tenants.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
};
