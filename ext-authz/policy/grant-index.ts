// Finds the grants that could concern one caller without walking all of a tenant's. It only narrows: every grant the
// policy would match is in the answer, and the policy alone says which of them do match. Pure.

import type { Grant } from '#core/grant.ts';
import type { Identity } from '#core/identity.ts';
import type { Tenant } from '#core/tenant.ts';

/** Grants by the id of each of their subjects. */
type ServerGrants = ReadonlyMap<string, readonly Grant[]>;

type Grants = Tenant['grants'];

// Grants in a snapshot are never edited, so an index lives exactly as long as the list it was made from, whatever else of
// the tenant changes. After a change of grants only the servers that are called are indexed anew.
const byServer = new WeakMap<Grants, ReadonlyMap<string, Grants>>();
const indexes = new WeakMap<Grants, ServerGrants>();

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

const grantsOf = (grants: Grants, serverId: string): Grants => {
  const known = byServer.get(grants);
  const groups = known ?? Map.groupBy(grants, (grant) => grant.serverId);
  if (known === undefined) byServer.set(grants, groups);
  return groups.get(serverId) ?? [];
};

const indexOf = (grants: Grants): ServerGrants => {
  const known = indexes.get(grants);
  if (known !== undefined) return known;
  const built = indexServer(grants);
  indexes.set(grants, built);
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
  const bySubject = indexOf(grantsOf(tenant.grants, serverId));
  const ids = idsOf(identity);
  const found = new Set<Grant>();
  for (const id of ids) for (const grant of bySubject.get(id) ?? []) found.add(grant);
  return [...found].map((grant) => ({
    ...grant,
    subjects: grant.subjects.filter((subject) => ids.has(subject.id)),
  }));
};
