// Where a version's calls go right now: vetted addresses, each with the host name it stands for.

import type { JsonObject } from '#core/json.ts';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import type { Upstream, UpstreamEndpoint } from '#xds-server/translate/upstream.ts';
import { TLS_HOST_KEY } from '#xds-server/translate/upstream-tls.ts';

/** Vetted addresses of an endpoint URL; undefined as long as none are known. */
export type AddressesOf = (url: string) => readonly string[] | undefined;

/**
 * Measured weight of a replica, 1 to 128: the faster it answers, the higher. Undefined where nothing is known of it.
 * @param cluster name of the cluster.
 * @param address `address:port`, IPv6 in brackets, as Envoy writes an upstream host.
 */
export type WeightOf = (cluster: string, address: string) => number | undefined;

/** What is known of replicas at this moment. */
export type EndpointFacts = {
  readonly addressesOf: AddressesOf;
  /** Asked for clusters balanced by latency only. */
  readonly weightOf?: WeightOf;
};

/** Weight of a replica nothing is known of: it is tried like one in the middle, and measured by that. */
const UNKNOWN_WEIGHT = 64;

/** `address:port` as Envoy writes it, in its logs and in the header that names a replica. */
export const hostAddress = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

type Replica = { readonly endpoint: UpstreamEndpoint; readonly address: string };

/** Every replica whose address is known, sorted, so that the order of DNS answers changes nothing. */
const replicasOf = (upstream: Upstream, addressesOf: AddressesOf): Replica[] =>
  upstream.endpoints.flatMap((endpoint) =>
    (addressesOf(endpoint.url) ?? []).toSorted().map((address) => ({ endpoint, address })),
  );

/** Measured weights of an upstream's replicas, in the order of its endpoints; empty where none count. */
export const measuredWeights = (
  name: string,
  upstream: Upstream,
  { addressesOf, weightOf }: EndpointFacts,
): readonly number[] =>
  weightOf === undefined || upstream.settings.loadBalancing?.policy !== 'least-latency'
    ? []
    : replicasOf(upstream, addressesOf).map(
        ({ endpoint, address }) => weightOf(name, hostAddress(address, endpoint.port)) ?? UNKNOWN_WEIGHT,
      );

/** Weight set for the host times the measured one; undefined where neither is known, which Envoy reads as 1. */
const weightOfReplica = ({ endpoint }: Replica, measured: number | undefined): number | undefined => {
  const set = endpoint.placement?.weight;
  return set === undefined && measured === undefined ? undefined : (set ?? 1) * (measured ?? 1);
};

const lbEndpoint = (replica: Replica, weight: number | undefined, settings: UpstreamSettings): JsonObject => {
  const { endpoint, address } = replica;
  return {
    endpoint: {
      address: { socket_address: { address, port_value: endpoint.port } },
      // Becomes the Host header of calls to this endpoint (auto_host_rewrite).
      hostname: endpoint.authority,
      // Checks would otherwise name the cluster as their host.
      ...(settings.health === undefined ? {} : { health_check_config: { hostname: endpoint.authority } }),
    },
    ...(weight === undefined ? {} : { load_balancing_weight: weight }),
    metadata: {
      filter_metadata: {
        'envoy.transport_socket_match': { [TLS_HOST_KEY]: endpoint.tls ? endpoint.host : '' },
      },
    },
  };
};

const priorityOf = (replica: Replica | undefined): number => replica?.endpoint.placement?.priority ?? 0;

const localityOf = (replica: Replica | undefined): JsonObject => {
  const { zone } = replica?.endpoint.placement ?? {};
  return zone === undefined ? {} : { locality: { zone } };
};

/** The same for replicas of one zone and priority. */
const localityKey = (replica: Replica): string => JSON.stringify([priorityOf(replica), localityOf(replica)]);

/** True if no address of the upstream is known yet: its assignment would be an empty one. */
export const isUnresolved = (upstream: Upstream, addressesOf: AddressesOf): boolean =>
  upstream.endpoints.every(({ url }) => addressesOf(url) === undefined);

/** The ClusterLoadAssignment of one version; without endpoints, calls are answered 503. */
export const buildEndpoints = (name: string, upstream: Upstream, facts: EndpointFacts): TypedMessage => {
  const weights = measuredWeights(name, upstream, facts);
  const weighed = replicasOf(upstream, facts.addressesOf).map((replica, index) => ({
    replica,
    part: lbEndpoint(replica, weightOfReplica(replica, weights[index]), upstream.settings),
  }));
  // Envoy wants priorities without gaps, and a version need not have replicas of each.
  const priorities = [...new Set(weighed.map(({ replica }) => priorityOf(replica)))].sort((a, b) => a - b);
  const localities = Map.groupBy(weighed, ({ replica }) => localityKey(replica));
  return typedMessage('envoy.config.endpoint.v3.ClusterLoadAssignment', {
    cluster_name: name,
    endpoints: [...localities.values()].map((group) => ({
      ...localityOf(group[0]?.replica),
      priority: priorities.indexOf(priorityOf(group[0]?.replica)),
      lb_endpoints: group.map(({ part }) => part),
    })),
  });
};
