// Packed resources of each server, kept while the server stays the same value: one server's change costs one server's
// work, whatever else its tenant holds.

import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { findInconsistency } from '#xds-server/snapshot/consistency.ts';
import { packRoutes } from '#xds-server/snapshot/pack-routes.ts';
import { packResource, type Resource, unchanged } from '#xds-server/snapshot/resource.ts';
import { tenantRoutesName } from '#xds-server/translate/names.ts';
import { type ServerTranslation, translateServer } from '#xds-server/translate/server.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type PackedServer = {
  /** By cluster name. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly clusters: readonly Resource[];
  readonly scopes: readonly Resource[];
  /** Part of the tenant's RouteConfiguration, see pack-routes.ts. */
  readonly routes: Buffer;
};

export type CachedServer = { readonly server: McpServer; readonly packed: Result<PackedServer, string> };

const pack = (
  tenantId: string,
  { upstreams, clusters, scopes, routes }: ServerTranslation,
  before: PackedServer | undefined,
): PackedServer => {
  const known = new Map(
    [...(before?.clusters ?? []), ...(before?.scopes ?? [])].map((each) => [each.name, each]),
  );
  const own = (message: TypedMessage, needs: string): Resource => {
    const name = String(message['name']);
    return unchanged(known.get(name), packResource(name, message, { tenantId, needs }));
  };
  return {
    upstreams,
    clusters: clusters.map((cluster) => own(cluster, String(cluster['name']))),
    scopes: scopes.map((scope) => own(scope, tenantRoutesName(tenantId))),
    routes: packRoutes(routes),
  };
};

const translateAndPack = (
  tenantId: string,
  server: McpServer,
  settings: GatewaySettings,
  before: CachedServer | undefined,
): Result<PackedServer, string> => {
  const translated = translateServer(tenantId, server, settings);
  if (!translated.ok) return translated;
  const inconsistency = findInconsistency(translated.value, tenantRoutesName(tenantId));
  if (inconsistency !== undefined) return err(inconsistency);
  try {
    return ok(pack(tenantId, translated.value, before?.packed.ok === true ? before.packed.value : undefined));
  } catch (thrown) {
    return err(GatewayError.from(thrown, 'codec_failed').message);
  }
};

/** The entry of a server of a tenant, given its entry so far. */
export const refreshServer = (
  tenantId: string,
  server: McpServer,
  settings: GatewaySettings,
  before: CachedServer | undefined,
): CachedServer =>
  before?.server === server
    ? before
    : { server, packed: translateAndPack(tenantId, server, settings, before) };
