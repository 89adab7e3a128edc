// Connections to a server: which HTTP they speak, how long they are kept. Tuned for streams that live for hours and say
// nothing for minutes.

import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import { milliseconds } from '#xds-server/translate/duration.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';
import { UPSTREAM_FILTERS } from '#xds-server/translate/upstream-filters.ts';

/**
 * Idle connections are closed before the server does it: Node keeps them 5 s by default, and a call sent into a
 * closing connection is lost, because calls that may have run are not retried.
 */
const IDLE_MS = 4_000;

/** A stream that is silent for minutes looks dead to the NATs and balancers on its way; RFC 9293 §3.8.4. */
export const UPSTREAM_KEEPALIVE: JsonObject = {
  tcp_keepalive: { keepalive_time: 60, keepalive_interval: 15, keepalive_probes: 4 },
};

const STREAMS_PER_CONNECTION = 100;
const STREAM_WINDOW_BYTES = 65_536;

/**
 * HTTP/2 puts the streams of many callers on one connection. Its window holds all of their windows, so that callers who
 * stop reading cannot stop the others; a dead connection is found by pings, where TCP would take a quarter of an hour.
 */
const HTTP2: JsonObject = {
  max_concurrent_streams: STREAMS_PER_CONNECTION,
  initial_stream_window_size: STREAM_WINDOW_BYTES,
  initial_connection_window_size: STREAMS_PER_CONNECTION * STREAM_WINDOW_BYTES,
  connection_keepalive: { interval: '30s', timeout: '10s' },
};

const http = ({ endpoints, settings, transport }: Upstream): JsonObject => {
  // RFC 6455 is HTTP/1.1's.
  if (transport === 'websocket') return { explicit_http_config: { http_protocol_options: {} } };
  const { protocol = 'auto' } = settings.connections ?? {};
  if (protocol === 'http2') return { explicit_http_config: { http2_protocol_options: HTTP2 } };
  // ALPN chooses between HTTP/2 and 1.1, where there is TLS to carry it.
  return protocol === 'auto' && endpoints.every(({ tls }) => tls)
    ? { auto_config: { http2_protocol_options: HTTP2 } }
    : { explicit_http_config: { http_protocol_options: {} } };
};

/**
 * A server may refuse an upgrade while its client already sends messages: on a connection that others use they would be
 * read as requests of theirs (CVE-2026-73548).
 */
const NEVER_SHARED = { maxRequestsPerConnection: 1 };

/** The cluster's HttpProtocolOptions. */
export const buildProtocolOptions = (upstream: Upstream): TypedMessage => {
  const { idleMs = IDLE_MS, maxRequestsPerConnection } = {
    ...upstream.settings.connections,
    ...(upstream.transport === 'websocket' ? NEVER_SHARED : {}),
  };
  return typedMessage('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    http_filters: UPSTREAM_FILTERS,
    common_http_protocol_options: {
      idle_timeout: milliseconds(idleMs),
      ...(maxRequestsPerConnection === undefined
        ? {}
        : { max_requests_per_connection: maxRequestsPerConnection }),
    },
    ...http(upstream),
  });
};
