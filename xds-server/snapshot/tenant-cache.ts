// Packed resources of each tenant, kept while the tenant stays the same value: one tenant's change costs one tenant's
// work. A tenant that cannot be translated keeps what it had, and nobody else notices.

import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { findInconsistency } from '#xds-server/snapshot/consistency.ts';
import { packResource, type Resource } from '#xds-server/snapshot/resource.ts';
import { translateTenant } from '#xds-server/translate/tenant.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type TenantResources = {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly Resource[];
  readonly scopes: readonly Resource[];
  readonly routes: Resource;
};

/** `fault`: why the tenant as it is now is not what is served. */
export type CachedTenant = {
  readonly tenant: Tenant;
  readonly resources: TenantResources | undefined;
  readonly fault?: string;
};

const pack = (tenant: Tenant, settings: GatewaySettings): Result<TenantResources, string> => {
  const translated = translateTenant(tenant, settings);
  if (!translated.ok) return translated;
  const { upstreams, clusters, scopes, routes } = translated.value;
  const inconsistency = findInconsistency(translated.value);
  if (inconsistency !== undefined) return err(inconsistency);
  const own = (message: TypedMessage, needs?: string): Resource =>
    packResource(String(message['name']), message, {
      tenantId: tenant.id,
      ...(needs === undefined ? {} : { needs }),
    });
  try {
    return ok({
      upstreams,
      clusters: clusters.map((cluster) => own(cluster, String(cluster['name']))),
      scopes: scopes.map((scope) => own(scope, String(routes['name']))),
      routes: own(routes),
    });
  } catch (thrown) {
    return err(GatewayError.from(thrown, 'codec_failed').message);
  }
};

/** The entry of a tenant, given its entry so far. */
export const refreshTenant = (
  tenant: Tenant,
  before: CachedTenant | undefined,
  settings: GatewaySettings,
): CachedTenant => {
  if (before?.tenant === tenant) return before;
  const packed = pack(tenant, settings);
  return packed.ok
    ? { tenant, resources: packed.value }
    : { tenant, resources: before?.resources, fault: packed.error };
};
