// Which tenant and server a request is for, in the snapshot at hand. The route Envoy chose says it first; the path
// must say the same, so no rewrite between the two can move a call to another server. By a tenant's own host name only
// that tenant is reached. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { DriftState } from '#core/drift-book.ts';
import { type EndpointRef, endpointPath, findEndpoint, shortEndpointPath } from '#core/endpoint-path.ts';
import { findHostOwner } from '#core/host-index.ts';
import { hostNameOf, urlAtHost } from '#core/host-name.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { DEFAULT_TENANT, findServer, type Tenant } from '#core/tenant.ts';

export type Place = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  /** Path of the endpoint as the client addressed it: metadata and challenges repeat this form. */
  readonly path: string;
  /** The tenant's own host name the client came by; absent: the gateway's, whichever that is. */
  readonly host?: string;
  /** Sequence of the snapshot everything about this call is judged by. */
  readonly sequence: number;
};

/** What ext-authz holds of the registry: the snapshot and when the registry last spoke, milliseconds since the epoch. */
export type World = {
  readonly snapshot: Snapshot;
  readonly freshAtMs: number;
  /** Tools that are served otherwise than was approved; absent: none is known. */
  readonly drift?: DriftState;
  /** Host name of the gateway itself; no tenant's, whatever the registry says: it is how all others are reached. */
  readonly gatewayHost?: string;
};

/** A tenant's own host name, and whose it is. */
type OwnHost = { readonly host: string; readonly tenantId: string };

const isStale = (tenant: Tenant, world: World, nowMs: number): boolean =>
  tenant.maxStaleSeconds !== undefined && nowMs - world.freshAtMs > tenant.maxStaleSeconds * 1000;

const findOwnHost = ({ snapshot, gatewayHost }: World, authority: string): OwnHost | undefined => {
  const host = hostNameOf(authority);
  if (host === undefined || host === gatewayHost) return undefined;
  const tenantId = findHostOwner(snapshot, host);
  return tenantId === undefined ? undefined : { host, tenantId };
};

/** The endpoint a path names at a host: by a tenant's own, `/mcp/{server}` is the tenant's, and no other's prefix exists. */
const findEndpointAt = (path: string, own: OwnHost | undefined): EndpointRef | undefined => {
  const named = findEndpoint(path);
  if (named === undefined || own === undefined || named.tenantId === own.tenantId) return named;
  return path === shortEndpointPath(named.serverId)
    ? { tenantId: own.tenantId, serverId: named.serverId }
    : undefined;
};

const placeOf = (
  world: World,
  ref: EndpointRef,
  at: { readonly path: string; readonly own: OwnHost | undefined },
): Place | undefined => {
  const tenant = findTenant(world.snapshot, ref.tenantId);
  const server = tenant === undefined ? undefined : findServer(tenant, ref.serverId);
  if (tenant === undefined || server === undefined) return undefined;
  const host = at.own === undefined ? {} : { host: at.own.host };
  return { tenant, server, path: at.path, ...host, sequence: world.snapshot.sequence };
};

/** The place of an endpoint's path at a host, whatever route led here: what the metadata of an endpoint is about. */
export const findPlace = (
  world: World,
  { authority, path }: { readonly authority: string; readonly path: string },
): Place | undefined => {
  const own = findOwnHost(world, authority);
  const ref = findEndpointAt(path, own);
  return ref === undefined ? undefined : placeOf(world, ref, { path, own });
};

type RouteContext = { readonly tenantId?: string; readonly serverId?: string };

/**
 * Envoy chooses routes by path and knows no host: for `/mcp/{server}` by a tenant's own host it has found the default
 * tenant's server of that id, or nothing. Any other route is one the path does not lead to.
 */
const isRouteOf = (ref: EndpointRef, path: string, { tenantId, serverId }: RouteContext): boolean => {
  if (tenantId === ref.tenantId && serverId === ref.serverId) return true;
  if (path !== shortEndpointPath(ref.serverId) || ref.tenantId === DEFAULT_TENANT) return false;
  return tenantId === undefined
    ? serverId === undefined
    : tenantId === DEFAULT_TENANT && serverId === ref.serverId;
};

/** Root of a place's absolute URLs: the deployment's, with the tenant's own host where the client came by it. */
export const rootUrlOf = ({ host }: Pick<Place, 'host'>, publicUrl: string): string =>
  host === undefined ? publicUrl : urlAtHost(publicUrl, host);

/**
 * The path by which Envoy finds the routes of a place, where that is another than the client's; undefined where the
 * routes it has are the right ones. No query is lost: Envoy finds no scope for a short path with one.
 */
export const routePathOf = ({ tenant, server, path, host }: Place): string | undefined =>
  host === undefined || path !== shortEndpointPath(server.id) || tenant.id === DEFAULT_TENANT
    ? undefined
    : endpointPath({ tenantId: tenant.id, serverId: server.id });

/**
 * @param request.context what the route carries (ExtAuthzPerRoute context_extensions).
 * @returns the place, or endpoint_unknown, snapshot_unavailable, snapshot_stale.
 */
export const locate = (
  request: { readonly authority: string; readonly path: string; readonly context: RouteContext },
  world: World,
  nowMs: number,
): Result<Place, Deny> => {
  if (world.snapshot.sequence === 0) return err(deny('snapshot_unavailable'));
  const { path, context } = request;
  const own = findOwnHost(world, request.authority);
  const ref = findEndpointAt(path, own);
  if (ref === undefined || !isRouteOf(ref, path, context))
    return err(
      deny('endpoint_unknown', { log: { path: path.slice(0, 200), ...(own && { host: own.host }) } }),
    );
  const place = placeOf(world, ref, { path, own });
  if (place === undefined)
    return err(deny('endpoint_unknown', { log: { tenant: ref.tenantId, server: ref.serverId } }));
  if (isStale(place.tenant, world, nowMs)) return err(deny('snapshot_stale'));
  return ok(place);
};
