// TLS on the gateway's own listener. The certificate is each Envoy's own, found by a path relative to where it was
// started (core/gateway-certificate.ts); an Envoy that has none refuses the listener instead of opening it plainly.

import { GATEWAY_CERTIFICATE, GATEWAY_CERTIFICATE_DOCUMENT } from '#core/gateway-certificate.ts';
import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';

/** Fields of the filter chain. */
export const buildDownstreamTls = (): JsonObject => ({
  transport_socket: {
    name: 'envoy.transport_sockets.tls',
    typed_config: typedMessage('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificate_sds_secret_configs: [
          {
            name: GATEWAY_CERTIFICATE,
            sds_config: {
              // Envoy wants a directory in it.
              path_config_source: { path: `./${GATEWAY_CERTIFICATE_DOCUMENT}` },
              resource_api_version: 'V3',
            },
          },
        ],
      },
    }),
  },
  // A handshake that trickles in holds a connection no longer.
  transport_socket_connect_timeout: '10s',
});
