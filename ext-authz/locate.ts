// Which tenant and server a request is for, in the snapshot at hand. The route Envoy chose says it first; the path
// must say the same, so no rewrite between the two can move a call to another server. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { type EndpointRef, findEndpoint } from '#core/endpoint-path.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer, type Tenant } from '#core/tenant.ts';

export type Place = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  /** Path of the endpoint as the client addressed it: metadata and challenges repeat this form. */
  readonly path: string;
  /** Sequence of the snapshot everything about this call is judged by. */
  readonly sequence: number;
};

/** What ext-authz holds of the registry: the snapshot and when the registry last spoke, milliseconds since the epoch. */
export type World = { readonly snapshot: Snapshot; readonly freshAtMs: number };

const isStale = (tenant: Tenant, world: World, nowMs: number): boolean =>
  tenant.maxStaleSeconds !== undefined && nowMs - world.freshAtMs > tenant.maxStaleSeconds * 1000;

/** The place an endpoint reference names. `path` is the one the client used. */
export const findPlace = (world: World, ref: EndpointRef, path: string): Place | undefined => {
  const tenant = findTenant(world.snapshot, ref.tenantId);
  const server = tenant === undefined ? undefined : findServer(tenant, ref.serverId);
  return tenant === undefined || server === undefined
    ? undefined
    : { tenant, server, path, sequence: world.snapshot.sequence };
};

/**
 * @param request.context what the route carries (ExtAuthzPerRoute context_extensions).
 * @returns the place, or endpoint_unknown, snapshot_unavailable, snapshot_stale.
 */
export const locate = (
  request: {
    readonly path: string;
    readonly context: { readonly tenantId?: string; readonly serverId?: string };
  },
  world: World,
  nowMs: number,
): Result<Place, Deny> => {
  if (world.snapshot.sequence === 0) return err(deny('snapshot_unavailable'));
  const named = findEndpoint(request.path);
  const { tenantId, serverId } = request.context;
  if (named === undefined || named.tenantId !== tenantId || named.serverId !== serverId) {
    return err(deny('endpoint_unknown', { log: { path: request.path.slice(0, 200) } }));
  }
  const place = findPlace(world, named, request.path);
  if (place === undefined)
    return err(deny('endpoint_unknown', { log: { tenant: tenantId, server: serverId } }));
  if (isStale(place.tenant, world, nowMs)) return err(deny('snapshot_stale'));
  return ok(place);
};
