// A whole tenant in Envoy's words, addresses excepted: they change by themselves and are translated in endpoints.ts.
// What is served is put together from servers packed before (snapshot/tenant-cache.ts) and says the same.

import { ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildTenantRoutes } from '#xds-server/translate/routes.ts';
import { buildTenantScope } from '#xds-server/translate/scoped-routes.ts';
import { type ServerTranslation, translateServer } from '#xds-server/translate/server.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type TenantTranslation = {
  /** By cluster name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly TypedMessage[];
  readonly scopes: readonly TypedMessage[];
  readonly routes: TypedMessage;
};

/** Resources of a tenant; the error names the server that cannot be translated and repeats no URL. */
export const translateTenant = (
  tenant: Tenant,
  settings: GatewaySettings,
  paceOf?: PaceOf,
): Result<TenantTranslation, string> => {
  const servers: ServerTranslation[] = [];
  for (const server of tenant.servers) {
    const translated = translateServer(tenant.id, server, settings, paceOf);
    if (!translated.ok) return translated;
    servers.push(translated.value);
  }
  return ok({
    upstreams: new Map(servers.flatMap(({ upstreams }) => [...upstreams])),
    clusters: servers.flatMap(({ clusters }) => clusters),
    scopes: [buildTenantScope(tenant.id), ...servers.flatMap(({ scopes }) => scopes)],
    routes: buildTenantRoutes(
      tenant.id,
      servers.flatMap(({ routes }) => routes),
    ),
  });
};
