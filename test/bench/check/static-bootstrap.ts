// Envoy with nothing of ours: one listener, one route, one server behind it, and where a decision service is given, the same
// ext_authz filter as the product's (xds-server/filters/ext-authz.ts). No access log, no statistics sink, no health checks:
// what favours whom we are compared with stays in. Pure.

import type { JsonObject } from '#core/json.ts';
import { SERVER } from '#test/bench/check/tenant.ts';
import { MAX_REQUEST_BYTES } from '#xds-server/filters/ext-authz.ts';

const NAME = 'envoy.filters.http.ext_authz';

const loopback = (port: number): JsonObject => ({
  socket_address: { address: '127.0.0.1', port_value: port },
});

/** A message of an extension, as Envoy reads it from JSON. */
const any = (type: string, fields: JsonObject = {}): JsonObject => ({
  '@type': `type.googleapis.com/envoy.extensions.${type}`,
  ...fields,
});

const authorization: JsonObject = {
  name: NAME,
  typed_config: any('filters.http.ext_authz.v3.ExtAuthz', {
    grpc_service: { envoy_grpc: { cluster_name: 'ext-authz' }, timeout: '5s' },
    transport_api_version: 'V3',
    with_request_body: {
      max_request_bytes: MAX_REQUEST_BYTES,
      allow_partial_message: false,
      pack_as_bytes: true,
    },
    failure_mode_allow: false,
    encode_raw_headers: true,
  }),
};

const perRoute = (tenant: string): JsonObject => ({
  typed_per_filter_config: {
    [NAME]: any('filters.http.ext_authz.v3.ExtAuthzPerRoute', {
      check_settings: { context_extensions: { tenant, server: SERVER } },
    }),
  },
});

const cluster = (name: string, address: JsonObject, options: JsonObject = {}): JsonObject => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  ...options,
});

const HTTP2: JsonObject = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any('upstreams.http.v3.HttpProtocolOptions', {
      explicit_http_config: { http2_protocol_options: {} },
    }),
  },
};

/** Enough for any closed loop of a bench. */
const NO_LIMIT: JsonObject = {
  circuit_breakers: {
    thresholds: [{ max_connections: 10_000, max_pending_requests: 10_000, max_requests: 10_000 }],
  },
};

const route = (tenant: string, isAsked: boolean): JsonObject => ({
  match: { prefix: `/t/${tenant}/mcp/${SERVER}` },
  route: { cluster: 'server', timeout: '0s', prefix_rewrite: '/mcp' },
  ...(isAsked ? perRoute(tenant) : {}),
});

const connectionManager = (tenant: string, isAsked: boolean): JsonObject =>
  any('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'bench',
    use_remote_address: true,
    http_filters: [
      ...(isAsked ? [authorization] : []),
      { name: 'envoy.filters.http.router', typed_config: any('filters.http.router.v3.Router') },
    ],
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route(tenant, isAsked)] }],
    },
  });

/** @param options.decisions path of the Unix socket of a decision service; absent: nobody is asked. */
export const staticBootstrap = (options: {
  readonly tenant: string;
  readonly port: number;
  readonly adminPort: number;
  readonly backendPort: number;
  readonly decisions?: string;
}): JsonObject => {
  const { tenant, port, adminPort, backendPort, decisions } = options;
  const manager = connectionManager(tenant, decisions !== undefined);
  const asked =
    decisions === undefined
      ? []
      : [cluster('ext-authz', { pipe: { path: decisions } }, { ...HTTP2, ...NO_LIMIT })];
  return {
    admin: { address: loopback(adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'gateway',
          address: loopback(port),
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
          ],
        },
      ],
      clusters: [cluster('server', loopback(backendPort), NO_LIMIT), ...asked],
    },
  };
};
