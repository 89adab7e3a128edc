// Whose host name a request came by, in one snapshot. Pure but for a memo: snapshots are immutable.

import type { Snapshot } from '#core/snapshot.ts';

/** Owner of a name that two tenants claim: no tenant's id is empty. The registry lets no two; no guess is made here. */
const NOBODY = '';

const indexes = new WeakMap<Snapshot['tenants'], ReadonlyMap<string, string>>();

const indexOf = ({ tenants }: Snapshot): ReadonlyMap<string, string> => {
  const known = indexes.get(tenants);
  if (known !== undefined) return known;
  const index = new Map<string, string>();
  for (const { id, hosts } of tenants)
    for (const name of hosts?.names ?? []) index.set(name, index.has(name) ? NOBODY : id);
  indexes.set(tenants, index);
  return index;
};

/** Id of the tenant that has the host name, in its one spelling (core/host-name.ts); undefined where it is no tenant's. */
export const findHostOwner = (snapshot: Snapshot, name: string): string | undefined =>
  indexOf(snapshot).get(name);
