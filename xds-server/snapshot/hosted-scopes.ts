// Scopes of short addresses that only a tenant's own host name gives a meaning: `/mcp/{server}` where the default tenant
// has no server of that id. Envoy asks ext-authz nothing about a path without a scope, and ext-authz alone knows hosts.

import type { Snapshot } from '#core/snapshot.ts';
import { DEFAULT_TENANT, type Tenant } from '#core/tenant.ts';
import { packResource, type Resource } from '#xds-server/snapshot/resource.ts';
import { HOSTED_ROUTES, shortScopeName } from '#xds-server/translate/names.ts';
import { buildHostedScope } from '#xds-server/translate/scoped-routes.ts';

export type HostedScopes = {
  /** Ids of servers that have one. */
  readonly serverIds: ReadonlySet<string>;
  /** What to put over the scopes of tenants, by name; undefined: gone. */
  readonly changes: ReadonlyMap<string, Resource | undefined>;
};

export const NO_HOSTED_SCOPES: HostedScopes = { serverIds: new Set(), changes: new Map() };

const idsOf = ({ servers }: Tenant): readonly string[] => servers.map(({ id }) => id);

/** A scope names the default tenant's routes or these, never both: it is one resource, so no moment has two of one key. */
const isTaken = (snapshot: Snapshot): ((serverId: string) => boolean) => {
  const taken = new Set(snapshot.tenants.filter(({ id }) => id === DEFAULT_TENANT).flatMap(idsOf));
  return (serverId) => taken.has(serverId);
};

/** The hosted scopes of a snapshot, given those before it. */
export const refreshHostedScopes = (snapshot: Snapshot, before: HostedScopes): HostedScopes => {
  const hosting = snapshot.tenants.filter(({ hosts }) => hosts !== undefined);
  if (hosting.length === 0 && before.serverIds.size === 0) return NO_HOSTED_SCOPES;
  const belongsToDefault = isTaken(snapshot);
  const serverIds = new Set(hosting.flatMap(idsOf).filter((id) => !belongsToDefault(id)));
  const changes = new Map<string, Resource | undefined>();
  for (const id of serverIds)
    if (!before.serverIds.has(id))
      changes.set(
        shortScopeName(id),
        packResource(shortScopeName(id), buildHostedScope(id), { needs: HOSTED_ROUTES }),
      );
  for (const id of before.serverIds)
    if (!serverIds.has(id) && !belongsToDefault(id)) changes.set(shortScopeName(id), undefined);
  return { serverIds, changes };
};
