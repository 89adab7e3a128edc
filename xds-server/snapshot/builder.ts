// Turns snapshots of the registry into snapshots of resources, remembering what it packed. Pure but for that memory:
// the same input gives the same output, sooner.

import type { Snapshot } from '#core/snapshot.ts';
import { forEachKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { type CachedEndpoints, refreshEndpoints } from '#xds-server/snapshot/endpoint-cache.ts';
import { packResource, type Resource, type ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { type CachedTenant, refreshTenant } from '#xds-server/snapshot/tenant-cache.ts';
import type { EndpointFacts } from '#xds-server/translate/endpoints.ts';
import { buildListener } from '#xds-server/translate/listeners.ts';
import { LISTENER_NAME, WELL_KNOWN_ROUTES } from '#xds-server/translate/names.ts';
import { buildWellKnownRoutes } from '#xds-server/translate/routes.ts';
import { buildWellKnownScope } from '#xds-server/translate/scoped-routes.ts';

export type TenantFault = { readonly tenantId: string; readonly message: string };

export type BuiltSnapshot = {
  readonly snapshot: ResourceSnapshot;
  /** Tenants whose present state could not be translated; they are served as they were. */
  readonly faults: readonly TenantFault[];
};

export type SnapshotBuilder = (snapshot: Snapshot, facts: EndpointFacts) => BuiltSnapshot;

type Kinds = Record<ResourceKind, Map<string, Resource>>;

const add = (kinds: Kinds, kind: ResourceKind, resources: readonly Resource[]): void => {
  for (const resource of resources) kinds[kind].set(resource.name, resource);
};

/** A builder for one process. */
export const createSnapshotBuilder = (settings: GatewaySettings): SnapshotBuilder => {
  const listener = packResource(LISTENER_NAME, buildListener(settings));
  const wellKnownScope = packResource(WELL_KNOWN_ROUTES, buildWellKnownScope(), { needs: WELL_KNOWN_ROUTES });
  const wellKnownRoutes = packResource(WELL_KNOWN_ROUTES, buildWellKnownRoutes());
  let tenants = new Map<string, CachedTenant>();
  let endpoints = new Map<string, CachedEndpoints>();

  const addTenant = (kinds: Kinds, cached: CachedTenant, facts: EndpointFacts): void => {
    if (cached.resources === undefined) return;
    const { clusters, scopes, routes, upstreams } = cached.resources;
    add(kinds, 'cluster', clusters);
    add(kinds, 'scope', scopes);
    add(kinds, 'route', [routes]);
    for (const [name, upstream] of upstreams) {
      const cluster = { name, upstream, tenantId: cached.tenant.id };
      const entry = refreshEndpoints(cluster, endpoints.get(name), facts);
      endpoints.set(name, entry);
      add(kinds, 'endpoint', [entry.resource]);
    }
  };

  return (snapshot, facts) => {
    tenants = new Map(
      snapshot.tenants.map((tenant) => [tenant.id, refreshTenant(tenant, tenants.get(tenant.id), settings)]),
    );
    const kinds: Kinds = forEachKind(() => new Map());
    add(kinds, 'listener', [listener]);
    add(kinds, 'scope', [wellKnownScope]);
    add(kinds, 'route', [wellKnownRoutes]);
    for (const cached of tenants.values()) addTenant(kinds, cached, facts);
    endpoints = new Map([...endpoints].filter(([name]) => kinds.endpoint.has(name)));
    const faults = [...tenants.values()].flatMap(({ tenant, fault }) =>
      fault === undefined ? [] : [{ tenantId: tenant.id, message: fault }],
    );
    return { snapshot: { sequence: snapshot.sequence, kinds }, faults };
  };
};
