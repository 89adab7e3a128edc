// A whole tenant in Envoy's words, addresses excepted: they change by themselves and are translated in endpoints.ts.

import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildCluster } from '#xds-server/translate/clusters.ts';
import { clusterName } from '#xds-server/translate/names.ts';
import { buildTenantRoutes, type RoutedServer, type RoutedVersion } from '#xds-server/translate/routes.ts';
import { buildTenantScopes } from '#xds-server/translate/scoped-routes.ts';
import { parseUpstream, type Upstream } from '#xds-server/translate/upstream.ts';

export type TenantTranslation = {
  /** By cluster name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly TypedMessage[];
  readonly scopes: readonly TypedMessage[];
  readonly routes: TypedMessage;
};

const translateServer = (
  tenantId: string,
  server: McpServer,
  upstreams: Map<string, Upstream>,
): Result<RoutedServer, string> => {
  const versions: RoutedVersion[] = [];
  for (const version of server.versions) {
    const upstream = parseUpstream(version, server);
    if (!upstream.ok) return err(`server ${server.id}, version ${version.version}: ${upstream.error}`);
    upstreams.set(clusterName(tenantId, server.id, version.version), upstream.value);
    versions.push({ version: version.version, upstreamPath: upstream.value.path });
  }
  return ok({ server, versions });
};

/** Resources of a tenant; the error names the server that cannot be translated and repeats no URL. */
export const translateTenant = (
  tenant: Tenant,
  settings: GatewaySettings,
): Result<TenantTranslation, string> => {
  const upstreams = new Map<string, Upstream>();
  const servers: RoutedServer[] = [];
  for (const server of tenant.servers) {
    const routed = translateServer(tenant.id, server, upstreams);
    if (!routed.ok) return routed;
    servers.push(routed.value);
  }
  return ok({
    upstreams,
    clusters: [...upstreams].map(([name, upstream]) => buildCluster(name, upstream, settings)),
    scopes: buildTenantScopes(
      tenant.id,
      tenant.servers.map(({ id }) => id),
    ),
    routes: buildTenantRoutes(tenant.id, servers),
  });
};
