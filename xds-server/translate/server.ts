// One MCP server in Envoy's words: a cluster for each version, and its part of the tenant's routes and scopes.

import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import { paceWithin } from '#xds-server/adaptive/controller.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildCluster } from '#xds-server/translate/clusters.ts';
import { clusterName } from '#xds-server/translate/names.ts';
import { buildServerRoutes, type RoutedVersion } from '#xds-server/translate/routes.ts';
import { buildServerScopes } from '#xds-server/translate/scoped-routes.ts';
import { parseUpstream, type Upstream } from '#xds-server/translate/upstream.ts';

export type ServerTranslation = {
  /** By cluster name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly TypedMessage[];
  readonly scopes: readonly TypedMessage[];
  /** Routes of the tenant's RouteConfiguration. */
  readonly routes: readonly JsonObject[];
};

/** Resources of a server; the error names it and repeats no URL. */
export const translateServer = (
  tenantId: string,
  server: McpServer,
  settings: GatewaySettings,
  paceOf: PaceOf = () => undefined,
): Result<ServerTranslation, string> => {
  const upstreams = new Map<string, Upstream>();
  const versions: RoutedVersion[] = [];
  for (const version of server.versions) {
    const upstream = parseUpstream(tenantId, server, version);
    if (!upstream.ok) return err(`server ${server.id}, version ${version.version}: ${upstream.error}`);
    const cluster = clusterName(tenantId, server.id, version.version);
    const pace = server.adaptive && { pace: paceWithin(server.adaptive, paceOf(cluster)) };
    upstreams.set(cluster, upstream.value);
    versions.push({ version: version.version, upstreamPath: upstream.value.path, ...pace });
  }
  return ok({
    upstreams,
    clusters: [...upstreams].map(([name, upstream]) => buildCluster(name, upstream, settings)),
    scopes: buildServerScopes(tenantId, server.id),
    routes: buildServerRoutes(tenantId, { server, versions }),
  });
};
