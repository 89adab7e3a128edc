// What all clients together may ask of one Envoy: memory and connections, and what is given up first when they run
// short. Anything here acts before anybody knows who is calling. Pure.

import type { JsonObject } from '#core/json.ts';

export type OverloadLimits = {
  /** Client connections at once; beyond it new ones are refused instead of memory running out. */
  readonly maxConnections: number;
  /** Memory at which calls are refused. Bodies wait in Envoy until they are whole, before anybody knows whose they are. */
  readonly maxHeapBytes: number;
};

/** Publishers keep a door of their own, however many callers there are. */
const PUBLISH_CONNECTIONS = 64;

const HEAP = 'envoy.resource_monitors.fixed_heap';
const CONNECTIONS = 'envoy.resource_monitors.global_downstream_max_connections';

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
});

/** Acts from that share of the heap on. */
const beyond = (share: number): JsonObject => ({ triggers: [{ name: HEAP, threshold: { value: share } }] });

/** Acts the more, the further the heap is filled between the two shares. */
const between = (from: number, to: number): JsonObject => ({
  triggers: [{ name: HEAP, scaled: { scaling_threshold: from, saturation_threshold: to } }],
});

const action = (name: string, trigger: JsonObject): JsonObject => ({
  name: `envoy.overload_actions.${name}`,
  ...trigger,
});

const loadShedPoint = (name: string, trigger: JsonObject): JsonObject => ({
  name: `envoy.load_shed_points.${name}`,
  ...trigger,
});

// Never the idle time of streams: a quiet event stream is what this gateway is for.
const SHORTER_WAITS = any('envoy.config.overload.v3.ScaleTimersOverloadActionConfig', {
  timer_scale_factors: [
    { timer: 'HTTP_DOWNSTREAM_CONNECTION_IDLE', min_timeout: '2s' },
    { timer: 'TRANSPORT_SOCKET_CONNECT', min_timeout: '1s' },
  ],
});

const ACTIONS: readonly JsonObject[] = [
  { ...action('reduce_timeouts', between(0.8, 0.95)), typed_config: SHORTER_WAITS },
  action('shrink_heap', beyond(0.9)),
  // The streams that hold most are ended, largest first: bodies nobody finishes, not calls that wait for their answer.
  action('reset_high_memory_stream', between(0.9, 0.98)),
  action('disable_http_keepalive', beyond(0.93)),
  action('stop_accepting_requests', beyond(0.95)),
];

// Beyond what refusing requests spares: connections that are not let in cost nothing, and no handshake.
const LOAD_SHED_POINTS: readonly JsonObject[] = [
  loadShedPoint('tcp_listener_accept', beyond(0.97)),
  loadShedPoint('http2_server_go_away_on_dispatch', beyond(0.97)),
  loadShedPoint('hcm_ondata_creating_codec', beyond(0.98)),
  loadShedPoint('http1_server_abort_dispatch', beyond(0.98)),
];

/** `overload_manager` of the bootstrap. */
export const buildOverloadManager = ({ maxConnections, maxHeapBytes }: OverloadLimits): JsonObject => ({
  refresh_interval: '0.25s',
  // Streams below 2^16 bytes are not worth ending.
  buffer_factory_config: { minimum_account_to_track_power_of_two: 16 },
  resource_monitors: [
    {
      name: HEAP,
      typed_config: any('envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig', {
        max_heap_size_bytes: maxHeapBytes,
      }),
    },
    {
      name: CONNECTIONS,
      typed_config: any(
        'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
        { max_active_downstream_connections: maxConnections + PUBLISH_CONNECTIONS },
      ),
    },
  ],
  actions: ACTIONS,
  loadshed_points: LOAD_SHED_POINTS,
});

/** Runtime keys that bound each listener, by its name. */
export const listenerLimits = ({ maxConnections }: Pick<OverloadLimits, 'maxConnections'>): JsonObject => ({
  gateway: { connection_limit: maxConnections },
  publish: { connection_limit: PUBLISH_CONNECTIONS },
});
