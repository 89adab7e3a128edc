// What Envoy is told before it knows us: who it is, where xds-server and the other services are, and what bounds it.
// Everything else comes over ADS. Pure; written to a file by main.ts.

import { isIP } from 'node:net';
import type { Json, JsonObject } from '#core/json.ts';
import { type InternalSecretFiles, serviceTransport } from '#envoy/internal-tls.ts';
import { buildOverloadManager, listenerLimits, type OverloadLimits } from '#envoy/overload.ts';
import {
  buildPublishListener,
  type PublishListenerOptions,
  REGISTRY_PUBLISH_CLUSTER,
  type SecretFiles,
} from '#envoy/publish-listener.ts';
import { STATISTICS } from '#envoy/stats.ts';
import { localZone, nodeLocality, zoneClusters } from '#envoy/zone.ts';
import type { Address } from '#runtime/address.ts';

export type BootstrapOptions = OverloadLimits & {
  /** Unique among the Envoys of one xds-server. */
  readonly nodeId: string;
  /** What it is, if not a plain edge; xds-server gives it what concerns it and refuses what it may not be. */
  readonly node?: NodeClaim;
  readonly adminPort: number;
  readonly services: {
    readonly xdsServer: Address;
    readonly extAuthz: Address;
    /** More of them, on this machine as well; absent: none. */
    readonly extAuthzBeside?: readonly Address[];
    readonly extProc: Address;
    readonly rateLimit: Address;
  };
  /** Required where a service has an address with peers. */
  readonly secretFiles?: InternalSecretFiles;
  /** Calls stay with replicas of this zone while one there is healthy; absent: all zones are alike. */
  readonly zone?: string;
  /** Where publishers with client certificates come in; absent: nowhere. */
  readonly publish?: PublishDoor;
};

export type NodeClaim = {
  readonly group: 'edge' | 'sidecar';
  /** `tenant/server` or `tenant/*`, of a sidecar. */
  readonly servers: readonly string[];
  /** Empty: none. */
  readonly region: string;
  /** Clusters come one by one, with the first call that needs each; absent: all at once. */
  readonly clustersOnDemand?: boolean;
};

export type PublishDoor = {
  readonly listener: PublishListenerOptions;
  readonly secretFiles: SecretFiles;
  /** The registry's socket for it. */
  readonly registry: Address;
};

/** A stream of ext-proc lives as long as the answer it guards, so these are live answers, not calls per second. */
const LIMITS = { max_connections: 64, max_pending_requests: 8192, max_requests: 65_536, max_retries: 1024 };

/**
 * One whose machine is gone closes nothing, and until it is found out every call waits for it in vain. The answer may take
 * longer than any pause of a process that lives: with the connection go the answers it guards.
 */
const PINGS: JsonObject = { interval: '5s', timeout: '5s' };

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
});

const envoyAddress = (address: Address): JsonObject =>
  address.kind === 'unix'
    ? { pipe: { path: address.path } }
    : { socket_address: { address: address.host, port_value: address.port } };

/** The operator's own names may be looked up; a tenant's never are. */
const discoveryOf = (address: Address): string =>
  address.kind === 'tcp' && isIP(address.host) === 0 ? 'STRICT_DNS' : 'STATIC';

/**
 * A process that ends takes no call with it beyond those it had: one that was refused a connection goes to another, and
 * the one that refused gets no more for a second.
 */
const SPREAD: JsonObject = {
  lb_policy: 'LEAST_REQUEST',
  outlier_detection: {
    split_external_local_origin_errors: true,
    consecutive_local_origin_failure: 1,
    base_ejection_time: '1s',
    max_ejection_time: '1s',
    max_ejection_percent: 90,
    interval: '0.5s',
  },
};

const grpcCluster = (
  name: string,
  address: Address,
  secretFiles: InternalSecretFiles | undefined,
  beside: readonly Address[] = [],
): JsonObject => ({
  name,
  ...(beside.length === 0 ? {} : SPREAD),
  type: discoveryOf(address),
  connect_timeout: '1s',
  ...serviceTransport(address, secretFiles),
  circuit_breakers: { thresholds: [{ ...LIMITS, track_remaining: true }] },
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any(
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      {
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: PINGS },
        },
      },
    ),
  },
  load_assignment: {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: [address, ...beside].map((one) => ({ endpoint: { address: envoyAddress(one) } })),
      },
    ],
  },
});

/** Manifests are few; what waits beyond this is no publisher. */
const registryCluster = (address: Address): JsonObject => ({
  name: REGISTRY_PUBLISH_CLUSTER,
  type: 'STATIC',
  connect_timeout: '1s',
  circuit_breakers: { thresholds: [{ max_connections: 32, max_pending_requests: 64, max_requests: 64 }] },
  load_assignment: {
    cluster_name: REGISTRY_PUBLISH_CLUSTER,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: envoyAddress(address) } }] }],
  },
});

const publishListeners = ({ publish }: BootstrapOptions): JsonObject =>
  publish === undefined ? {} : { listeners: [buildPublishListener(publish.listener, publish.secretFiles)] };

const CLUSTERS: JsonObject = { cds_config: { ads: {}, resource_api_version: 'V3' } };

/** @param clustersOnDemand a filter of the listener asks for clusters; whoever asks for all of them has no use for it. */
const dynamicResources = (clustersOnDemand: boolean): JsonObject => ({
  ads_config: {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [
      {
        envoy_grpc: {
          cluster_name: 'xds-server',
          // By default Envoy waits up to half a minute before it asks a control plane that came back.
          retry_policy: { retry_back_off: { base_interval: '0.2s', max_interval: '2s' } },
        },
      },
    ],
  },
  lds_config: { ads: {}, resource_api_version: 'V3' },
  ...(clustersOnDemand ? {} : CLUSTERS),
});

/** Paths an operator and our drain need; the rest of the admin interface can change or dump everything. */
const ADMIN_PATHS: readonly Json[] = [
  { prefix: '/ready' },
  { prefix: '/stats' },
  { prefix: '/clusters' },
  { prefix: '/listeners' },
  { exact: '/server_info' },
  { prefix: '/config_dump' },
  { exact: '/memory' },
  { exact: '/certs' },
  { exact: '/healthcheck/fail' },
  { exact: '/healthcheck/ok' },
  { prefix: '/drain_listeners' },
];

const nodeOf = ({ nodeId, node, zone }: BootstrapOptions): JsonObject => {
  const { group = 'edge', servers = [], region = '', clustersOnDemand = false } = node ?? {};
  const claim = {
    group,
    servers,
    ...(region === '' ? {} : { region }),
    ...(clustersOnDemand ? { clusters: 'on-demand' } : {}),
  };
  return {
    id: nodeId,
    cluster: 'mcp-security-gateway',
    ...nodeLocality(zone),
    metadata: { mcpgw: claim },
  };
};

/** The bootstrap document. Two calls with equal options give equal documents. */
export const buildBootstrap = (options: BootstrapOptions): JsonObject => ({
  node: nodeOf(options),
  admin: {
    address: { socket_address: { address: '127.0.0.1', port_value: options.adminPort } },
    allow_paths: ADMIN_PATHS,
    ignore_global_conn_limit: true,
  },
  dynamic_resources: dynamicResources(options.node?.clustersOnDemand === true),
  ...localZone(options.zone),
  static_resources: {
    ...publishListeners(options),
    clusters: [
      grpcCluster('xds-server', options.services.xdsServer, options.secretFiles),
      grpcCluster(
        'ext-authz',
        options.services.extAuthz,
        options.secretFiles,
        options.services.extAuthzBeside,
      ),
      grpcCluster('ext-proc', options.services.extProc, options.secretFiles),
      grpcCluster('rate-limit', options.services.rateLimit, options.secretFiles),
      ...zoneClusters(options.zone),
      ...(options.publish === undefined ? [] : [registryCluster(options.publish.registry)]),
    ],
  },
  layered_runtime: {
    layers: [
      {
        name: 'hardening',
        // Lenient chunk parsing is how one request becomes two behind a proxy (request smuggling).
        static_layer: {
          envoy: {
            reloadable_features: { strict_chunk_parsing: true },
            resource_limits: { listener: listenerLimits(options) },
          },
          // One client's many requests wait for those of others.
          http: { max_requests_per_io_cycle: 1 },
        },
      },
    ],
  },
  overload_manager: buildOverloadManager(options),
  ...STATISTICS,
});
