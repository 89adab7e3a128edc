// All resources of a tenant, addresses and secrets included, kept while neither the tenant nor what is known of those
// changed.

import type { Tenant } from '#core/tenant.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { type CachedEndpoints, refreshEndpoints } from '#xds-server/snapshot/endpoint-cache.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import type { Resource } from '#xds-server/snapshot/resource.ts';
import { type CachedSecrets, refreshSecrets } from '#xds-server/snapshot/secret-cache.ts';
import { type CachedTenant, refreshTenant } from '#xds-server/snapshot/tenant-cache.ts';

export type ServedTenant = {
  readonly cached: CachedTenant;
  /** As of which `endpoints` and `secrets` are. */
  readonly facts: Facts;
  /** By cluster name. */
  readonly endpoints: ReadonlyMap<string, CachedEndpoints>;
  readonly secrets: CachedSecrets;
  readonly resources: Readonly<Partial<Record<ResourceKind, readonly Resource[]>>>;
};

export const resourcesOf = (served: ServedTenant | undefined): ServedTenant['resources'] =>
  served?.resources ?? {};

const refreshAllEndpoints = (
  { tenant, resources }: CachedTenant,
  before: ServedTenant | undefined,
  facts: Facts,
): ServedTenant['endpoints'] =>
  new Map(
    [...(resources?.upstreams ?? [])].map(([name, upstream]) => [
      name,
      refreshEndpoints({ name, upstream, tenantId: tenant.id }, before?.endpoints.get(name), facts),
    ]),
  );

const NO_SECRETS: CachedSecrets = new Map();

const refreshAllSecrets = (
  { resources }: CachedTenant,
  before: ServedTenant | undefined,
  { materialOf = () => undefined }: Facts,
): CachedSecrets => {
  const refs = [...(resources?.upstreams.values() ?? [])].flatMap(({ secrets }) => secrets);
  return refs.length === 0 ? NO_SECRETS : refreshSecrets(refs, before?.secrets ?? NO_SECRETS, materialOf);
};

const listOf = (
  { resources }: CachedTenant,
  { endpoints, secrets }: Pick<ServedTenant, 'endpoints' | 'secrets'>,
): ServedTenant['resources'] => {
  if (resources === undefined) return {};
  const { clusters, scopes, routes } = resources;
  const endpoint = [...endpoints.values()].map(({ resource }) => resource);
  const secret = [...secrets.values()].map(({ resource }) => resource);
  return { cluster: clusters, secret, endpoint, scope: scopes, route: [routes] };
};

const hasSameEntries = <T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean =>
  a.size === b.size && [...a].every(([name, entry]) => b.get(name) === entry);

/** The entry of a tenant, given its entry so far. */
export const refreshServed = (
  tenant: Tenant,
  before: ServedTenant | undefined,
  { settings, facts }: { readonly settings: GatewaySettings; readonly facts: Facts },
): ServedTenant => {
  if (before !== undefined && before.cached.tenant === tenant && facts === before.facts) return before;
  const cached = refreshTenant(tenant, before?.cached, { settings, ...facts });
  const endpoints = refreshAllEndpoints(cached, before, facts);
  const secrets = refreshAllSecrets(cached, before, facts);
  const isSame =
    before !== undefined &&
    cached === before.cached &&
    hasSameEntries(endpoints, before.endpoints) &&
    hasSameEntries(secrets, before.secrets);
  if (isSame) return { ...before, facts };
  return { cached, facts, endpoints, secrets, resources: listOf(cached, { endpoints, secrets }) };
};
