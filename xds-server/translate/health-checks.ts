// Active checks: every Envoy asks every replica by itself, so that a dead one is known before a call meets it. They
// carry no credentials, and say of a server only that it is alive.

import type { Json, JsonObject } from '#core/json.ts';
import type { HealthCheck } from '#core/upstream-settings.ts';
import { milliseconds } from '#xds-server/translate/duration.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

const PING = JSON.stringify({ jsonrpc: '2.0', id: 'health', method: 'ping' });

const header = (key: string, value: string): Json => ({ header: { key, value } });

/**
 * A ping comes without a session and without a token, and revision 2026-07-28 has none: a server that says so (400, 401,
 * 404 and their like) is alive. Its gateway's 5xx, a redirect or silence are not.
 */
const ping = (path: string): JsonObject => ({
  path,
  method: 'POST',
  send: { text: Buffer.from(PING).toString('hex') },
  request_headers_to_add: [
    header('content-type', 'application/json'),
    header('accept', 'application/json, text/event-stream'),
  ],
  expected_statuses: [
    { start: 200, end: 300 },
    { start: 400, end: 500 },
  ],
});

/**
 * Checks cannot negotiate: they speak HTTP/1.1 unless it is settled that calls do not. A server with nothing but HTTP/2
 * behind TLS must be said to be one.
 */
const isHttp2 = ({ settings }: Upstream): boolean => settings.connections?.protocol === 'http2';

const request = ({ kind, path = '/' }: HealthCheck, upstream: Upstream): JsonObject => ({
  ...(kind === 'ping' ? ping(upstream.path) : { path }),
  codec_client_type: isHttp2(upstream) ? 'HTTP2' : 'HTTP1',
});

/** The part of a cluster about checks; empty where none are wanted. */
export const buildHealthChecks = (upstream: Upstream): JsonObject => {
  const { health } = upstream.settings;
  // A server that is spoken to by WebSocket answers no ping by POST; a path of its own it may have.
  if (health === undefined || (health.kind === 'ping' && upstream.transport === 'websocket')) return {};
  const interval = milliseconds(health.intervalMs ?? 10_000);
  return {
    health_checks: [
      {
        interval,
        // Envoy asks once a minute where there were no calls yet: the first ones would meet the dead.
        no_traffic_interval: interval,
        interval_jitter_percent: 10,
        timeout: milliseconds(health.timeoutMs ?? 2_000),
        unhealthy_threshold: health.unhealthyThreshold ?? 3,
        healthy_threshold: health.healthyThreshold ?? 2,
        http_health_check: request(health, upstream),
        ...(isHttp2(upstream) ? { tls_options: { alpn_protocols: ['h2'] } } : {}),
      },
    ],
    // Otherwise a replica that is taken away gets calls for as long as it passes its checks.
    ignore_health_on_host_removal: true,
  };
};
