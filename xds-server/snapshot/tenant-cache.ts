// Packed resources of each tenant, kept while the tenant and the paces of its servers stay the same values, and put
// together from its servers'. A tenant that cannot be translated keeps what it had, and nobody else notices.

import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { findRepeated } from '#xds-server/snapshot/consistency.ts';
import { packAround } from '#xds-server/snapshot/pack-routes.ts';
import { packResource, type Resource, resourceOf, unchanged } from '#xds-server/snapshot/resource.ts';
import {
  type CachedServer,
  type PackedServer,
  refreshServer,
  type ServerFacts,
} from '#xds-server/snapshot/server-cache.ts';
import { tenantRoutesName } from '#xds-server/translate/names.ts';
import { buildTenantFrame } from '#xds-server/translate/routes.ts';
import { buildTenantScope } from '#xds-server/translate/scoped-routes.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type TenantResources = {
  /** By cluster name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly Resource[];
  readonly scopes: readonly Resource[];
  readonly routes: Resource;
};

export type CachedTenant = {
  readonly tenant: Tenant;
  /** By id. */
  readonly servers: ReadonlyMap<string, CachedServer>;
  readonly resources: TenantResources | undefined;
  /** Why the tenant as it is now is not what is served. */
  readonly fault?: string;
};

/** Everything of the tenant; the first server at fault is why there is nothing. */
const assemble = (
  tenantId: string,
  servers: Iterable<CachedServer>,
  before: TenantResources | undefined,
): Result<TenantResources, string> => {
  const packed: PackedServer[] = [];
  const byServer = new Map<string, Buffer>();
  for (const { server, packed: own } of servers) {
    if (!own.ok) return own;
    packed.push(own.value);
    byServer.set(server.id, own.value.routes);
  }
  const routesName = tenantRoutesName(tenantId);
  const scope = packResource(routesName, buildTenantScope(tenantId), { tenantId, needs: routesName });
  const parts = { frame: buildTenantFrame(tenantId), byServer };
  const routes = packAround(parts.frame, [...byServer.values()]);
  const clusters = packed.flatMap((server) => server.clusters);
  const scopes = [unchanged(before?.scopes[0], scope), ...packed.flatMap((server) => server.scopes)];
  const repeated =
    findRepeated(clusters.map(({ name }) => name)) ?? findRepeated(scopes.map(({ name }) => name));
  if (repeated !== undefined) return err(repeated);
  return ok({
    upstreams: new Map(packed.flatMap(({ upstreams }) => [...upstreams])),
    clusters,
    scopes,
    routes: unchanged(before?.routes, resourceOf(routesName, routes, { tenantId, parts })),
  });
};

/** The entry of a tenant, given its entry so far. */
export const refreshTenant = (
  tenant: Tenant,
  before: CachedTenant | undefined,
  facts: ServerFacts,
): CachedTenant => {
  const servers = new Map(
    tenant.servers.map((server) => [
      server.id,
      refreshServer(tenant.id, server, facts, before?.servers.get(server.id)),
    ]),
  );
  const isSame = [...servers].every(([id, server]) => before?.servers.get(id) === server);
  if (before?.tenant === tenant && isSame) return before;
  try {
    const assembled = assemble(tenant.id, servers.values(), before?.resources);
    return assembled.ok
      ? { tenant, servers, resources: assembled.value }
      : { tenant, servers, resources: before?.resources, fault: assembled.error };
  } catch (thrown) {
    const fault = GatewayError.from(thrown, 'codec_failed').message;
    return { tenant, servers, resources: before?.resources, fault };
  }
};
