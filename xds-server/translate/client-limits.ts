// What a client may ask of one connection: Envoy's guidance for the edge, with headers large enough for tokens that list
// many groups. What all clients together may ask is bounded in the bootstrap (envoy/overload.ts).

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';

/** Per connection and direction; ext_authz buffers a whole body beyond it by its own limit. */
const CONNECTION_BUFFER_BYTES = 256 * 1024;

/**
 * `per_connection_buffer_limit_bytes` and its neighbour: a client that takes nothing of its answer for so long, while
 * it stands full in memory, is not waited for.
 */
export const BUFFER_LIMITS: JsonObject = {
  per_connection_buffer_limit_bytes: CONNECTION_BUFFER_BYTES,
  per_connection_buffer_high_watermark_timeout: '60s',
};

/**
 * Who connects and says nothing is let go of, instead of keeping its place until it has been idle for a quarter of an hour:
 * only a filter that waits for the first bytes is bounded in time before there is a request (Envoy, `listener_filters_timeout`).
 * For a chain without TLS; a handshake has a limit of its own.
 */
export const FIRST_BYTES: JsonObject = {
  listener_filters: [
    {
      name: 'envoy.filters.listener.http_inspector',
      typed_config: typedMessage('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector', {}),
    },
  ],
  listener_filters_timeout: '10s',
};

const HTTP1: JsonObject = {
  // The defaults, said aloud because each is a way of two programs reading one message differently.
  accept_http_10: false,
  allow_chunked_length: false,
  enable_trailers: false,
};

const HTTP2: JsonObject = {
  max_concurrent_streams: 100,
  initial_stream_window_size: 65_536,
  initial_connection_window_size: 1_048_576,
  connection_keepalive: { interval: '30s', timeout: '10s' },
  // Streams that are opened to be reset (CVE-2023-44487), and frames that cost more than they carry.
  stream_reset_burst: 200,
  stream_reset_rate: 50,
  max_outbound_frames: 10_000,
  max_outbound_control_frames: 1_000,
  max_consecutive_inbound_frames_with_empty_payload: 1,
  max_inbound_priority_frames_per_stream: 100,
  max_inbound_window_update_frames_per_data_frame_sent: 10,
};

/** Fields of the connection manager. */
export const CLIENT_LIMITS: JsonObject = {
  max_request_headers_kb: 64,
  request_headers_timeout: '10s',
  // From the first byte to the last of a request; over before the answer starts, so no stream is cut by it.
  request_timeout: '60s',
  // How long a stream that was ended over HTTP/1.1 lives on.
  delayed_close_timeout: '0.1s',
  // What follows an invalid message on its connection cannot be told from a part of it.
  stream_error_on_invalid_http_message: false,
  common_http_protocol_options: {
    idle_timeout: '900s',
    // Then the client is told to open another one, so that clients find new Envoys; streams run on to their end.
    max_connection_duration: '3600s',
    max_headers_count: 100,
    // x_mcpgw_version and x-mcpgw-version are one header to many servers.
    headers_with_underscores_action: 'REJECT_REQUEST',
  },
  http_protocol_options: HTTP1,
  http2_protocol_options: HTTP2,
};
