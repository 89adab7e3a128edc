// The kinds of resource we serve and their type URLs. No runtime: what is not listed is not answered.

export const RESOURCE_KINDS = ['cluster', 'secret', 'endpoint', 'listener', 'scope', 'route'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export const TYPE_URLS: Readonly<Record<ResourceKind, string>> = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  scope: 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
};

export const findKind = (typeUrl: string): ResourceKind | undefined =>
  RESOURCE_KINDS.find((kind) => TYPE_URLS[kind] === typeUrl);

const NAMED_KINDS: ReadonlySet<ResourceKind> = new Set(['secret', 'endpoint', 'route']);

/** Kinds a client may ask for without names, to get all of them (xDS protocol, "wildcard"). */
export const isWildcardKind = (kind: ResourceKind): boolean => !NAMED_KINDS.has(kind);

/** One value for each kind. */
export const forEachKind = <T>(make: (kind: ResourceKind) => T): Record<ResourceKind, T> => ({
  cluster: make('cluster'),
  secret: make('secret'),
  endpoint: make('endpoint'),
  listener: make('listener'),
  scope: make('scope'),
  route: make('route'),
});
