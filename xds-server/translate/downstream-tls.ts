// TLS on the gateway's own listener. The certificate is each Envoy's own, found by a path relative to where it was
// started (core/gateway-certificate.ts); an Envoy that has none refuses the listener instead of opening it plainly.

import {
  GATEWAY_AUTHORITIES,
  GATEWAY_AUTHORITIES_DOCUMENT,
  GATEWAY_CERTIFICATE,
  GATEWAY_CERTIFICATE_DOCUMENT,
} from '#core/gateway-certificate.ts';
import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

const secretFrom = (name: string, document: string): JsonObject => ({
  name,
  sds_config: {
    // Envoy wants a directory in it.
    path_config_source: { path: `./${document}` },
    resource_api_version: 'V3',
  },
});

/**
 * A client may have a certificate; one that does not verify ends the handshake. Sessions are not resumed then: a resumed
 * one is not verified again, and a certificate that was revoked would live on in its ticket.
 */
const CLIENT_CERTIFICATES: JsonObject = {
  require_client_certificate: false,
  disable_stateless_session_resumption: true,
  disable_stateful_session_resumption: true,
};

/** Fields of the filter chain. */
export const buildDownstreamTls = ({ listenerClientCertificates = false }: GatewaySettings): JsonObject => ({
  transport_socket: {
    name: 'envoy.transport_sockets.tls',
    typed_config: typedMessage('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      ...(listenerClientCertificates ? CLIENT_CERTIFICATES : {}),
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificate_sds_secret_configs: [secretFrom(GATEWAY_CERTIFICATE, GATEWAY_CERTIFICATE_DOCUMENT)],
        ...(listenerClientCertificates
          ? {
              validation_context_sds_secret_config: secretFrom(
                GATEWAY_AUTHORITIES,
                GATEWAY_AUTHORITIES_DOCUMENT,
              ),
            }
          : {}),
      },
    }),
  },
  // A handshake that trickles in holds a connection no longer.
  transport_socket_connect_timeout: '10s',
});
