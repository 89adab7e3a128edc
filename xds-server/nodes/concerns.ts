// What of a snapshot concerns a node: everything that belongs to no tenant, and of each tenant what its view means.
// Cut by tenant, so that of a change only the tenant it was of is cut again. Pure.

import type { TenantConcern } from '#xds-server/nodes/view.ts';
import { forEachKind, RESOURCE_KINDS, type ResourceKind } from '#xds-server/resource-kind.ts';
import { packAround } from '#xds-server/snapshot/pack-routes.ts';
import { type Resource, type ResourceSnapshot, resourceOf } from '#xds-server/snapshot/resource.ts';
import { ownerOfCluster, serverOfScope } from '#xds-server/translate/names.ts';

/** Resources of one owner. */
export type Piece = Readonly<Record<ResourceKind, readonly Resource[]>>;

export type Pieces = {
  /** Of no tenant: the listener, the documents below /.well-known/. */
  readonly shared: Piece;
  readonly tenants: ReadonlyMap<string, Piece>;
};

type Filling = Record<ResourceKind, Resource[]>;

const isSame = (a: Piece, b: Piece): boolean =>
  RESOURCE_KINDS.every(
    (kind) => a[kind].length === b[kind].length && a[kind].every((resource, at) => resource === b[kind][at]),
  );

const emptyPiece = (): Filling => forEachKind(() => []);

const cut = ({ kinds }: ResourceSnapshot) => {
  const shared = emptyPiece();
  const tenants = new Map<string, Filling>();
  const pieceOf = (tenantId: string | undefined): Filling => {
    if (tenantId === undefined) return shared;
    const piece = tenants.get(tenantId) ?? emptyPiece();
    tenants.set(tenantId, piece);
    return piece;
  };
  for (const kind of RESOURCE_KINDS)
    for (const resource of kinds[kind].values()) pieceOf(resource.tenantId)[kind].push(resource);
  return { shared, tenants };
};

/** The piece as it was, if it is what it was. */
const kept = (before: Piece | undefined, piece: Piece): Piece =>
  before !== undefined && isSame(before, piece) ? before : piece;

/** Cuts a snapshot by owner. What is the same as before is the same value as before. */
export const cutByOwner = (snapshot: ResourceSnapshot, before?: Pieces): Pieces => {
  const { shared, tenants } = cut(snapshot);
  return {
    shared: kept(before?.shared, shared),
    tenants: new Map([...tenants].map(([id, piece]) => [id, kept(before?.tenants.get(id), piece)])),
  };
};

const isOfSeen = ({ name }: Resource, isSeen: (serverId: string) => boolean): boolean => {
  const owner = ownerOfCluster(name);
  return owner !== undefined && isSeen(owner.serverId);
};

const narrowRoutes = (
  { name, tenantId, parts }: Resource,
  isSeen: (serverId: string) => boolean,
): Resource | undefined => {
  if (tenantId === undefined || parts === undefined) return undefined;
  const seen = [...parts.byServer].filter(([serverId]) => isSeen(serverId)).map(([, routes]) => routes);
  return resourceOf(name, packAround(parts.frame, seen), { tenantId });
};

/** One decision for each kind, so that a new kind cannot be forgotten. Undefined: it is not for this node. */
const NARROWED: Readonly<
  Record<ResourceKind, (resource: Resource, isSeen: (serverId: string) => boolean) => Resource | undefined>
> = {
  cluster: (resource, isSeen) => (isOfSeen(resource, isSeen) ? resource : undefined),
  // Named like clusters, by tenant and server.
  secret: (resource, isSeen) => (isOfSeen(resource, isSeen) ? resource : undefined),
  endpoint: (resource, isSeen) => (isOfSeen(resource, isSeen) ? resource : undefined),
  // Listeners are the operator's, never a tenant's.
  listener: () => undefined,
  scope: (resource, isSeen) => {
    const serverId = serverOfScope(resource.name);
    return serverId === undefined || isSeen(serverId) ? resource : undefined;
  },
  route: narrowRoutes,
};

/** What of a tenant's resources is left for a node that sees some of its servers. */
export const narrow = (piece: Piece, concern: TenantConcern): Piece | undefined => {
  if (concern === 'all') return piece;
  if (concern === 'none') return undefined;
  return forEachKind((kind) => piece[kind].flatMap((resource) => NARROWED[kind](resource, concern) ?? []));
};

/** A short address that is nobody's own goes with the servers of its id: to others it would tell what tenants have. */
const isOfSomeone = (pieces: readonly Piece[]): ((resource: Resource) => boolean) => {
  const seen = new Set(
    pieces.flatMap(({ cluster }) => cluster).map(({ name }) => ownerOfCluster(name)?.serverId),
  );
  return ({ name, tenantId }) => {
    const serverId = tenantId === undefined ? serverOfScope(name) : undefined;
    return serverId === undefined || seen.has(serverId);
  };
};

/** Pieces as one snapshot again. */
export const assemble = (sequence: number, pieces: readonly Piece[]): ResourceSnapshot => {
  const isForThem = isOfSomeone(pieces);
  return {
    sequence,
    kinds: forEachKind((kind) => {
      const resources = pieces.flatMap((piece) => piece[kind]);
      const kept = kind === 'scope' ? resources.filter(isForThem) : resources;
      return new Map(kept.map((resource) => [resource.name, resource] as const));
    }),
  };
};
