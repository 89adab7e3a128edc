// One Envoy cluster for each version of each server: how it is connected to, not where. Addresses come by EDS,
// resolved and vetted by us, so that Envoy never looks up a name a tenant wrote.

import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildProtocolOptions, UPSTREAM_KEEPALIVE } from '#xds-server/translate/connections.ts';
import { buildHealthChecks } from '#xds-server/translate/health-checks.ts';
import { buildLoadBalancing } from '#xds-server/translate/load-balancing.ts';
import { buildCircuitBreakers, buildOutlierDetection } from '#xds-server/translate/protection.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

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

/** The Cluster resource of one version. */
export const buildCluster = (name: string, upstream: Upstream, settings: GatewaySettings): TypedMessage =>
  typedMessage('envoy.config.cluster.v3.Cluster', {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3' } },
    connect_timeout: '5s',
    load_balancing_policy: buildLoadBalancing(upstream.settings),
    // By default Envoy sends calls to endpoints known to be unhealthy once all of them are.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    ...buildHealthChecks(upstream),
    outlier_detection: buildOutlierDetection(upstream.settings.outlierDetection),
    circuit_breakers: buildCircuitBreakers(upstream.settings.circuitBreakers),
    upstream_connection_options: UPSTREAM_KEEPALIVE,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': buildProtocolOptions(upstream),
    },
    ...transportSockets(upstream, settings.upstreamCaFile),
  });
