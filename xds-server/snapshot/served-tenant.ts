// All resources of a tenant, addresses included, kept while neither the tenant nor what is known of replicas changed.

import type { Tenant } from '#core/tenant.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { type CachedEndpoints, refreshEndpoints } from '#xds-server/snapshot/endpoint-cache.ts';
import type { Resource } from '#xds-server/snapshot/resource.ts';
import { type CachedTenant, refreshTenant } from '#xds-server/snapshot/tenant-cache.ts';
import type { EndpointFacts } from '#xds-server/translate/endpoints.ts';

export type ServedTenant = {
  readonly cached: CachedTenant;
  /** As of which `endpoints` are. */
  readonly facts: EndpointFacts;
  /** By cluster name. */
  readonly endpoints: ReadonlyMap<string, CachedEndpoints>;
  readonly resources: Readonly<Partial<Record<ResourceKind, readonly Resource[]>>>;
};

export const resourcesOf = (served: ServedTenant | undefined): ServedTenant['resources'] =>
  served?.resources ?? {};

const refreshAllEndpoints = (
  { tenant, resources }: CachedTenant,
  before: ServedTenant | undefined,
  facts: EndpointFacts,
): ServedTenant['endpoints'] =>
  new Map(
    [...(resources?.upstreams ?? [])].map(([name, upstream]) => [
      name,
      refreshEndpoints({ name, upstream, tenantId: tenant.id }, before?.endpoints.get(name), facts),
    ]),
  );

const listOf = (
  { resources }: CachedTenant,
  endpoints: ServedTenant['endpoints'],
): ServedTenant['resources'] => {
  if (resources === undefined) return {};
  const { clusters, scopes, routes } = resources;
  const endpoint = [...endpoints.values()].map(({ resource }) => resource);
  return { cluster: clusters, endpoint, scope: scopes, route: [routes] };
};

const isSame = (a: ServedTenant['endpoints'], b: ServedTenant['endpoints']): boolean =>
  a.size === b.size && [...a].every(([name, entry]) => b.get(name) === entry);

/** The entry of a tenant, given its entry so far. */
export const refreshServed = (
  tenant: Tenant,
  before: ServedTenant | undefined,
  { settings, facts }: { readonly settings: GatewaySettings; readonly facts: EndpointFacts },
): ServedTenant => {
  const cached = refreshTenant(tenant, before?.cached, settings);
  if (before !== undefined && cached === before.cached && facts === before.facts) return before;
  const endpoints = refreshAllEndpoints(cached, before, facts);
  if (before !== undefined && cached === before.cached && isSame(endpoints, before.endpoints))
    return { ...before, facts };
  return { cached, facts, endpoints, resources: listOf(cached, endpoints) };
};
