// Finds the grants that could concern one caller without walking all of a tenant's. It only narrows: every grant the
// policy would match is in the answer, and the policy alone says which of them do match. Pure.

import type { Grant } from '#core/grant.ts';
import type { Identity } from '#core/identity.ts';
import type { Tenant } from '#core/tenant.ts';

/** Grants by the id of each of their subjects. */
type ServerGrants = ReadonlyMap<string, readonly Grant[]>;

// A tenant in a snapshot is never edited, so an index lives exactly as long as the tenant it was made from.
const indexes = new WeakMap<Tenant, ReadonlyMap<string, ServerGrants>>();

const indexServer = (grants: readonly Grant[]): ServerGrants => {
  const bySubject = new Map<string, Grant[]>();
  for (const grant of grants) {
    for (const id of new Set(grant.subjects.map((subject) => subject.id))) {
      const known = bySubject.get(id);
      if (known === undefined) bySubject.set(id, [grant]);
      else known.push(grant);
    }
  }
  return bySubject;
};

const indexTenant = (tenant: Tenant): ReadonlyMap<string, ServerGrants> => {
  const byServer = Map.groupBy(tenant.grants, (grant) => grant.serverId);
  return new Map([...byServer].map(([serverId, grants]) => [serverId, indexServer(grants)]));
};

const indexOf = (tenant: Tenant): ReadonlyMap<string, ServerGrants> => {
  const known = indexes.get(tenant);
  if (known !== undefined) return known;
  const built = indexTenant(tenant);
  indexes.set(tenant, built);
  return built;
};

/** Every id under which a subject could mean this caller, whatever its kind. */
const idsOf = (identity: Identity): ReadonlySet<string> => {
  const { groups, roles, subject, oid, app } = identity;
  const own = [subject, oid, app].filter((id) => id !== undefined);
  return new Set([...groups, ...roles, ...own]);
};

/** The grants of `serverId` with a subject that bears one of the caller's ids, and of each only those subjects. */
export const findGrants = (tenant: Tenant, serverId: string, identity: Identity): readonly Grant[] => {
  const bySubject = indexOf(tenant).get(serverId);
  if (bySubject === undefined) return [];
  const ids = idsOf(identity);
  const found = new Set<Grant>();
  for (const id of ids) for (const grant of bySubject.get(id) ?? []) found.add(grant);
  return [...found].map((grant) => ({
    ...grant,
    subjects: grant.subjects.filter((subject) => ids.has(subject.id)),
  }));
};
