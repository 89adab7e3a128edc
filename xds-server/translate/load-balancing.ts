// How Envoy chooses a replica. Whatever the policy, the replica that holds the caller's session comes first: ext-authz
// names it, and only where it is gone does the policy choose.

import { HASH_HEADER, HOST_HEADER } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import type {
  HashKey,
  LoadBalancing,
  LoadBalancingPolicy,
  UpstreamSettings,
} from '#core/upstream-settings.ts';
import { type TypedMessage, typedMessage, typedStruct } from '#protos/typed-struct.ts';

const DEFAULT: LoadBalancing = { policy: 'least-request' };

/** A prime, as Maglev wants it. Ten times finer than a hundred replicas need; Envoy's default takes half a megabyte a cluster. */
const MAGLEV_TABLE_SIZE = '16381';

/**
 * Envoys that know their zone stay in it while a replica there is healthy; to others, and for what is left then, all
 * zones are alike. Without the defaults overruled, zones would count from six replicas on, and share out by size.
 */
const NEAREST_ZONE: JsonObject = {
  locality_lb_config: { zone_aware_lb_config: { min_cluster_size: '1', force_local_zone: { min_size: 1 } } },
};

/**
 * `least-latency` is round robin over measured weights. Least request would count every idle stream as work in hand and
 * so outweigh any measurement.
 */
const POLICIES: Readonly<
  Record<LoadBalancingPolicy, { readonly name: string; readonly type: string; readonly fields: JsonObject }>
> = {
  'least-request': { name: 'least_request', type: 'LeastRequest', fields: {} },
  'least-latency': { name: 'round_robin', type: 'RoundRobin', fields: {} },
  'round-robin': { name: 'round_robin', type: 'RoundRobin', fields: {} },
  'ring-hash': { name: 'ring_hash', type: 'RingHash', fields: {} },
  maglev: { name: 'maglev', type: 'Maglev', fields: { table_size: MAGLEV_TABLE_SIZE } },
};

const extension = (name: string, typed_config: TypedMessage): JsonObject => ({
  policies: [{ typed_extension_config: { name: `envoy.load_balancing_policies.${name}`, typed_config } }],
});

/** The cluster's `load_balancing_policy`. */
export const buildLoadBalancing = ({
  loadBalancing: { policy } = DEFAULT,
  placement = [],
}: UpstreamSettings): JsonObject => {
  const { name, type, fields } = POLICIES[policy];
  const zones = placement.some(({ zone }) => zone !== undefined) ? NEAREST_ZONE : {};
  const chosen = typedMessage(`envoy.extensions.load_balancing_policies.${name}.v3.${type}`, {
    ...fields,
    ...zones,
  });
  // TypedStruct: this policy is newer than the npm protos.
  const override = typedStruct('envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost', {
    override_host_sources: [{ header: HOST_HEADER }],
    fallback_policy: extension(name, chosen),
  });
  return extension('override_host', override);
};

const hashHeader = (hashOn: HashKey): string => (typeof hashOn === 'object' ? hashOn.header : HASH_HEADER);

/** The route's `hash_policy`: a call without the key goes to any replica. */
export const buildHashPolicy = ({ hashOn }: LoadBalancing = DEFAULT): JsonObject =>
  hashOn === undefined ? {} : { hash_policy: [{ header: { header_name: hashHeader(hashOn) } }] };
