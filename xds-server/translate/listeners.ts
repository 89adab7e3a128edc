// The one listener. It is the same for every snapshot: a listener update cuts every open stream, so whatever may be
// wanted later without a restart stands in it from the start, and all that changes comes through routes and clusters.

import { INTERNAL_HEADER_PREFIX } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage, typedStruct } from '#protos/typed-struct.ts';
import type { Clusters } from '#xds-server/filters/filter.ts';
import { FILTERS } from '#xds-server/filters/order.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildAccessLogs } from '#xds-server/translate/access-logs.ts';
import { BUFFER_LIMITS, CLIENT_LIMITS, FIRST_BYTES } from '#xds-server/translate/client-limits.ts';
import { buildDownstreamTls } from '#xds-server/translate/downstream-tls.ts';
import { LOCAL_REPLIES } from '#xds-server/translate/local-replies.ts';
import { LISTENER_NAME } from '#xds-server/translate/names.ts';
import { SCOPE_KEY_BUILDER } from '#xds-server/translate/scoped-routes.ts';

const ADS: JsonObject = { ads: {}, resource_api_version: 'V3' };

/**
 * Headers only the gateway itself may set. They are removed before routes and filters see the request:
 * `request_headers_to_remove` of a route would come after all filters and take away what ext-authz set.
 */
const STRIPPED_PREFIXES = [INTERNAL_HEADER_PREFIX, 'x-envoy-'];

const stripAtEntry: JsonObject = {
  name: 'envoy.http.early_header_mutation.header_mutation',
  // TypedStruct: remove_on_match is newer than the npm protos.
  typed_config: typedStruct('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
    mutations: STRIPPED_PREFIXES.map((prefix) => ({
      remove_on_match: { key_matcher: { prefix, ignore_case: true } },
    })),
  }),
};

/**
 * Paths are taken as they are written. Routes match exact paths only, so `/t/a/../b`, `//t/a` and `%61` find nothing;
 * normalising them would give an endpoint several spellings, and a proxy in front of us could read another one.
 */
const PATHS: JsonObject = {
  normalize_path: false,
  merge_slashes: false,
  path_with_escaped_slashes_action: 'REJECT_REQUEST',
};

const clientAddress = (settings: GatewaySettings): JsonObject => ({
  use_remote_address: true,
  xff_num_trusted_hops: settings.trustedHops,
  // Nobody is internal, since an internal caller may choose x-request-id. Without ranges Envoy takes private networks
  // for internal; this one is no sender's address (RFC 919).
  internal_address_config: { cidr_ranges: [{ address_prefix: '255.255.255.255', prefix_len: 32 }] },
});

const connectionManager = (settings: GatewaySettings, clusters: Clusters): TypedMessage =>
  typedMessage('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: LISTENER_NAME,
    codec_type: 'AUTO',
    ...clientAddress(settings),
    ...PATHS,
    ...CLIENT_LIMITS,
    stream_idle_timeout: `${settings.streamIdleSeconds}s`,
    // For all routes, because the first one has no version yet; which servers are reached so is ext-authz's to say.
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    early_header_mutation_extensions: [stripAtEntry],
    server_header_transformation: 'OVERWRITE',
    server_name: 'mcp-security-gateway',
    generate_request_id: true,
    always_set_request_id_in_response: true,
    local_reply_config: LOCAL_REPLIES,
    access_log: buildAccessLogs(settings),
    scoped_routes: {
      name: LISTENER_NAME,
      scope_key_builder: SCOPE_KEY_BUILDER,
      rds_config_source: ADS,
      scoped_rds: { scoped_rds_config_source: ADS },
    },
    http_filters: FILTERS.filter(({ only = clusters }) => only === clusters).map(({ filter }) => ({
      name: filter.name,
      typed_config: filter.listenerPart(settings),
    })),
  });

/** The Listener resource, for Envoys that get clusters in that way. */
export const buildListener = (settings: GatewaySettings, clusters: Clusters = 'all'): TypedMessage =>
  typedMessage('envoy.config.listener.v3.Listener', {
    name: LISTENER_NAME,
    address: { socket_address: { address: settings.listenAddress, port_value: settings.port } },
    // With SO_REUSEPORT a second Envoy on the port would not fail but take a share of the calls.
    enable_reuse_port: false,
    ...BUFFER_LIMITS,
    ...(settings.listenerTls ? {} : FIRST_BYTES),
    filter_chains: [
      {
        ...(settings.listenerTls ? buildDownstreamTls(settings) : {}),
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: connectionManager(settings, clusters),
          },
        ],
      },
    ],
  });
