// One Envoy cluster for each version of each server: how it is connected to, not where. Addresses come by EDS,
// resolved and vetted by us, so that Envoy never looks up a name a tenant wrote.

import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildLoadBalancing } from '#xds-server/translate/load-balancing.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';
import { UPSTREAM_FILTERS } from '#xds-server/translate/upstream-filters.ts';

/**
 * Idle connections are closed before the server does it: Node keeps them 5 s by default, and a call sent into a
 * closing connection is lost, because calls that may have run are not retried.
 */
const IDLE_TIMEOUT = '4s';

/** A live stream is a request for as long as it lives, so these are not requests per second. */
const LIMITS = { max_connections: 4096, max_pending_requests: 1024, max_requests: 4096, max_retries: 64 };

/** Metadata key by which an endpoint finds the TLS context of its own host name. */
export const TLS_HOST_KEY = 'host';

/** Hosts come out of URL parsing, which leaves only these two forms of an address. */
const isAddress = (host: string): boolean => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);

// RFC 6066 §3: SNI carries names only. An address is verified against the certificate's IP entries.
const tlsSocket = (host: string, caFile: string): JsonObject => {
  const isName = !isAddress(host);
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typedMessage('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      ...(isName ? { sni: host } : {}),
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        validation_context: {
          trusted_ca: { filename: caFile },
          match_typed_subject_alt_names: [
            { san_type: isName ? 'DNS' : 'IP_ADDRESS', matcher: { exact: host } },
          ],
        },
      },
    }),
  };
};

const transportSockets = (upstream: Upstream, caFile: string): JsonObject => {
  const [first, ...others] = new Set(upstream.endpoints.filter(({ tls }) => tls).map(({ host }) => host));
  if (first === undefined) return {};
  const plain = upstream.endpoints.some(({ tls }) => !tls);
  const raw = {
    name: 'envoy.transport_sockets.raw_buffer',
    typed_config: typedMessage('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer', {}),
  };
  return {
    // What matches nothing is encrypted, never sent in the clear.
    transport_socket: tlsSocket(first, caFile),
    transport_socket_matches: [
      ...[first, ...others].map((host) => ({
        name: host,
        match: { [TLS_HOST_KEY]: host },
        transport_socket: tlsSocket(host, caFile),
      })),
      ...(plain ? [{ name: 'plain', match: { [TLS_HOST_KEY]: '' }, transport_socket: raw }] : []),
    ],
  };
};

const protocolOptions = (upstream: Upstream): TypedMessage =>
  typedMessage('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    http_filters: UPSTREAM_FILTERS,
    common_http_protocol_options: { idle_timeout: IDLE_TIMEOUT },
    // ALPN chooses between HTTP/2 and 1.1, where there is TLS to carry it.
    ...(upstream.endpoints.every(({ tls }) => tls)
      ? { auto_config: {} }
      : { explicit_http_config: { http_protocol_options: {} } }),
  });

/** The Cluster resource of one version. */
export const buildCluster = (name: string, upstream: Upstream, settings: GatewaySettings): TypedMessage =>
  typedMessage('envoy.config.cluster.v3.Cluster', {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3' } },
    connect_timeout: '5s',
    load_balancing_policy: buildLoadBalancing(upstream.settings.loadBalancing),
    // By default Envoy sends calls to endpoints known to be unhealthy once all of them are.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    circuit_breakers: { thresholds: [{ ...LIMITS, track_remaining: true }] },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': protocolOptions(upstream),
    },
    ...transportSockets(upstream, settings.upstreamCaFile),
  });
