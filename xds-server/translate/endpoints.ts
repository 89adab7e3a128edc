// Where a version's calls go right now: vetted addresses, each with the host name it stands for.

import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import { TLS_HOST_KEY } from '#xds-server/translate/clusters.ts';
import type { Upstream, UpstreamEndpoint } from '#xds-server/translate/upstream.ts';

/** Vetted addresses of an endpoint URL; undefined as long as none are known. */
export type AddressesOf = (url: string) => readonly string[] | undefined;

const lbEndpoint = (endpoint: UpstreamEndpoint, address: string): JsonObject => ({
  endpoint: {
    address: { socket_address: { address, port_value: endpoint.port } },
    // Becomes the Host header of calls to this endpoint (auto_host_rewrite).
    hostname: endpoint.authority,
  },
  metadata: {
    filter_metadata: {
      'envoy.transport_socket_match': { [TLS_HOST_KEY]: endpoint.tls ? endpoint.host : '' },
    },
  },
});

/** Endpoint and address of everything that is known, sorted, so that the order of DNS answers changes nothing. */
const resolved = (upstream: Upstream, addressesOf: AddressesOf): JsonObject[] =>
  upstream.endpoints.flatMap((endpoint) =>
    (addressesOf(endpoint.url) ?? []).toSorted().map((address) => lbEndpoint(endpoint, address)),
  );

/** True if no address of the upstream is known yet: its assignment would be an empty one. */
export const isUnresolved = (upstream: Upstream, addressesOf: AddressesOf): boolean =>
  upstream.endpoints.every(({ url }) => addressesOf(url) === undefined);

/** The ClusterLoadAssignment of one version; without endpoints, calls are answered 503. */
export const buildEndpoints = (name: string, upstream: Upstream, addressesOf: AddressesOf): TypedMessage =>
  typedMessage('envoy.config.endpoint.v3.ClusterLoadAssignment', {
    cluster_name: name,
    endpoints: [{ lb_endpoints: resolved(upstream, addressesOf) }],
  });
