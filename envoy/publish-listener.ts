// The listener for publishers with client certificates: mutual TLS, one route, to the socket of the registry that
// believes what it says of the certificate. It stands in the bootstrap because nothing in it comes from a tenant. Pure.

import type { JsonObject } from '#core/json.ts';
import { authoritiesDocument, certificateDocument } from '#envoy/secret-document.ts';

export type PublishListenerOptions = {
  readonly listenAddress: string;
  readonly port: number;
  /** PEM files on Envoy's machine; a file that is renamed into their place is taken up without a restart. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates. */
  readonly clientCaFile: string;
  /** Empty: none. */
  readonly clientCrlFile: string;
};

/** Where main.ts writes what `buildPublishSecrets` gives. */
export type SecretFiles = { readonly certificate: string; readonly authorities: string };

export const REGISTRY_PUBLISH_CLUSTER = 'registry-publish';

const HTTP = 'envoy.extensions.filters';
const TLS = 'envoy.extensions.transport_sockets.tls.v3';

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
});

/** The documents of the secret files, as Envoy reads them from the disk. */
export const buildPublishSecrets = (
  options: PublishListenerOptions,
): Readonly<Record<keyof SecretFiles, JsonObject>> => ({
  certificate: certificateDocument('publish-certificate', options.certificateFile, options.keyFile),
  authorities: authoritiesDocument('publish-authorities', options.clientCaFile, options.clientCrlFile),
});

const secretFrom = (name: string, path: string): JsonObject => ({
  name,
  sds_config: { path_config_source: { path }, resource_api_version: 'V3' },
});

const transportSocket = (files: SecretFiles): JsonObject => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: any(`${TLS}.DownstreamTlsContext`, {
    require_client_certificate: true,
    // A resumed session is not verified again: a certificate that was revoked would live on in its ticket.
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificate_sds_secret_configs: [secretFrom('publish-certificate', files.certificate)],
      validation_context_sds_secret_config: secretFrom('publish-authorities', files.authorities),
    },
  }),
});

/** The one thing that can be asked here; everything else of the registry is out of reach. */
const ROUTE: JsonObject = {
  match: {
    safe_regex: { regex: '/v1/tenants/[a-z0-9-]+/manifests' },
    headers: [{ name: ':method', string_match: { exact: 'POST' } }],
  },
  route: { cluster: REGISTRY_PUBLISH_CLUSTER, timeout: '30s' },
};

const connectionManager = any(`${HTTP}.network.http_connection_manager.v3.HttpConnectionManager`, {
  stat_prefix: 'publish',
  codec_type: 'AUTO',
  // What a client says of its certificate is dropped, what the handshake proved is written.
  forward_client_cert_details: 'SANITIZE_SET',
  set_current_client_cert_details: { cert: true },
  use_remote_address: true,
  // Nobody is internal (as at the gateway's own listener); this range is no sender's address (RFC 919).
  internal_address_config: { cidr_ranges: [{ address_prefix: '255.255.255.255', prefix_len: 32 }] },
  normalize_path: false,
  merge_slashes: false,
  path_with_escaped_slashes_action: 'REJECT_REQUEST',
  max_request_headers_kb: 64,
  request_headers_timeout: '10s',
  request_timeout: '30s',
  stream_idle_timeout: '60s',
  common_http_protocol_options: {
    idle_timeout: '60s',
    max_headers_count: 100,
    headers_with_underscores_action: 'REJECT_REQUEST',
  },
  http2_protocol_options: {
    max_concurrent_streams: 16,
    initial_stream_window_size: 65_536,
    initial_connection_window_size: 1_048_576,
  },
  server_header_transformation: 'OVERWRITE',
  server_name: 'mcp-security-gateway',
  generate_request_id: true,
  always_set_request_id_in_response: true,
  route_config: {
    name: 'publish',
    virtual_hosts: [{ name: 'publish', domains: ['*'], routes: [ROUTE] }],
  },
  http_filters: [
    {
      name: 'envoy.filters.http.router',
      typed_config: any(`${HTTP}.http.router.v3.Router`, { suppress_envoy_headers: true }),
    },
  ],
});

/** The listener of the bootstrap. */
export const buildPublishListener = (options: PublishListenerOptions, files: SecretFiles): JsonObject => ({
  name: 'publish',
  address: { socket_address: { address: options.listenAddress, port_value: options.port } },
  enable_reuse_port: false,
  per_connection_buffer_limit_bytes: 256 * 1024,
  filter_chains: [
    {
      transport_socket: transportSocket(files),
      // A handshake that trickles in holds a connection no longer.
      transport_socket_connect_timeout: '10s',
      filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager }],
    },
  ],
});
