// Packed resources of each server, kept while the server and its pace stay the same values: one server's change costs
// one server's work, whatever else its tenant holds.

import { GatewayError } from '#core/gateway-error.ts';
import type { Pace } from '#core/pace.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { findInconsistency } from '#xds-server/snapshot/consistency.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import { packRoutes } from '#xds-server/snapshot/pack-routes.ts';
import { packResource, type Resource, unchanged } from '#xds-server/snapshot/resource.ts';
import { clusterName, tenantRoutesName } from '#xds-server/translate/names.ts';
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

export type CachedServer = {
  readonly server: McpServer;
  /** Of its versions, in their order; empty for a server without adaptive bounds. */
  readonly paces: readonly (Pace | undefined)[];
  readonly packed: Result<PackedServer, string>;
};

const NO_PACES: CachedServer['paces'] = [];

export type ServerFacts = { readonly settings: GatewaySettings } & Pick<Facts, 'paceOf'>;

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
  { settings, paceOf }: ServerFacts,
  before: CachedServer | undefined,
): Result<PackedServer, string> => {
  const translated = translateServer(tenantId, server, settings, paceOf);
  if (!translated.ok) return translated;
  const inconsistency = findInconsistency(translated.value, tenantRoutesName(tenantId));
  if (inconsistency !== undefined) return err(inconsistency);
  try {
    return ok(pack(tenantId, translated.value, before?.packed.ok === true ? before.packed.value : undefined));
  } catch (thrown) {
    return err(GatewayError.from(thrown, 'codec_failed').message);
  }
};

const pacesOf = (tenantId: string, server: McpServer, { paceOf }: ServerFacts): CachedServer['paces'] =>
  server.adaptive === undefined
    ? NO_PACES
    : server.versions.map(({ version }) => paceOf?.(clusterName(tenantId, server.id, version)));

/** The entry of a server of a tenant, given its entry so far. */
export const refreshServer = (
  tenantId: string,
  server: McpServer,
  facts: ServerFacts,
  before: CachedServer | undefined,
): CachedServer => {
  const paces = pacesOf(tenantId, server, facts);
  if (before?.server === server && paces.every((pace, at) => pace === before.paces[at])) return before;
  return { server, paces, packed: translateAndPack(tenantId, server, facts, before) };
};
