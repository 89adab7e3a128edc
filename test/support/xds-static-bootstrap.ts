// Resources as one static bootstrap, so that `envoy --mode validate` can judge them without a control plane.

import type { Json, JsonObject } from '#core/json.ts';
import { buildBootstrap } from '#envoy/bootstrap.ts';

export type ResourceMessages = {
  readonly clusters: readonly JsonObject[];
  readonly endpoints: readonly JsonObject[];
  readonly listeners: readonly JsonObject[];
  readonly scopes: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
};

const SERVICE = { kind: 'unix', path: '/tmp/none.sock' } as const;

const withoutType = ({ '@type': _type, ...fields }: JsonObject): JsonObject => fields;

/** Endpoints can only be static inside a cluster. */
const clusterAround = (endpoints: JsonObject, index: number): JsonObject => ({
  name: `endpoints-${index}`,
  type: 'STATIC',
  load_assignment: withoutType(endpoints),
});

type Chain = { filters: { typed_config: Record<string, Json> }[] };

/** Scopes listed in the listener must hold their routes themselves, so both are judged beside its filters. */
const listenerWithScopes = ({ listeners, scopes, routes }: ResourceMessages): JsonObject => {
  const copy = structuredClone(withoutType(listeners[0] ?? {})) as Record<string, Json> & {
    filter_chains: Chain[];
  };
  const scoped = copy.filter_chains[0]?.filters[0]?.typed_config['scoped_routes'] as Record<string, Json>;
  delete scoped['scoped_rds'];
  delete scoped['rds_config_source'];
  const inlined = scopes.map(({ route_configuration_name: wanted, ...scope }) => {
    const found = routes.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error(`no routes named ${String(wanted)}`);
    return { ...withoutType(scope), route_configuration: withoutType(found) };
  });
  scoped['scoped_route_configurations_list'] = { scoped_route_configurations: inlined };
  const address = { socket_address: { address: '127.0.0.1', port_value: 19_999 } };
  return { ...copy, name: 'scopes', address };
};

export const staticBootstrap = (messages: ResourceMessages): JsonObject => {
  const services = { xdsServer: SERVICE, extAuthz: SERVICE, extProc: SERVICE, rateLimit: SERVICE };
  const bootstrap = buildBootstrap({
    nodeId: 'validate',
    adminPort: 0,
    maxConnections: 1,
    maxHeapBytes: 1_000_000_000,
    services,
  });
  const { clusters } = bootstrap['static_resources'] as { clusters: Json[] };
  return {
    ...bootstrap,
    static_resources: {
      clusters: [
        ...clusters,
        ...messages.clusters.map(withoutType),
        ...messages.endpoints.map(clusterAround),
      ],
      listeners: [...messages.listeners.map(withoutType), listenerWithScopes(messages)],
    },
  };
};
