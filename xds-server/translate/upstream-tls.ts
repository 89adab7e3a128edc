// TLS to servers: each endpoint is asked for by its own name and must prove it, by an authority of the server's own or of
// the installation. Certificates of ours, and such authorities, come by SDS, so that renewing one touches no cluster.

import type { JsonObject } from '#core/json.ts';
import type { UpstreamTls } from '#core/upstream-settings.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { type SecretRef, secretResourceName } from '#xds-server/translate/secrets.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

/** Metadata key by which an endpoint finds the TLS context of its own host name. */
export const TLS_HOST_KEY = 'host';

/**
 * Names of matches are names of statistics: a number, because a host name of the owner's would make one of its own for each
 * server. envoy/stats.ts knows how they begin.
 */
const SOCKET_MATCH = 'socket_match_';

/**
 * How long a cluster waits for its secrets. Envoy answers for no other cluster meanwhile; one without them refuses its
 * calls and takes the secret when it comes.
 */
const SECRET_WAIT = '2s';

/** Hosts come out of URL parsing, which leaves only these two forms of an address. */
const isAddress = (host: string): boolean => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);

const nameMatcher = (name: string): JsonObject => {
  if (name.includes('://')) return { san_type: 'URI', matcher: { exact: name } };
  return { san_type: isAddress(name) ? 'IP_ADDRESS' : 'DNS', matcher: { exact: name } };
};

const secretConfig = (ref: SecretRef): JsonObject => ({
  name: secretResourceName(ref),
  sds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: SECRET_WAIT },
});

type TlsParts = {
  readonly host: string;
  readonly tls: UpstreamTls;
  readonly secrets: readonly SecretRef[];
  /** Authorities of the installation. */
  readonly caFile: string;
};

const validation = ({ host, tls, secrets, caFile }: TlsParts): JsonObject => {
  const names = {
    match_typed_subject_alt_names: (tls.subjectAltNames ?? [host]).map(nameMatcher),
  };
  const own = secrets.find(({ use }) => use === 'ca');
  return own === undefined
    ? { validation_context: { trusted_ca: { filename: caFile }, ...names } }
    : {
        combined_validation_context: {
          default_validation_context: names,
          validation_context_sds_secret_config: secretConfig(own),
        },
      };
};

// RFC 6066 §3: SNI carries names only.
const tlsSocket = (parts: TlsParts): JsonObject => {
  const certificates = parts.secrets.filter(({ use }) => use === 'certificate');
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typedMessage('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      ...(isAddress(parts.host) ? {} : { sni: parts.host }),
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        ...validation(parts),
        ...(certificates.length === 0
          ? {}
          : { tls_certificate_sds_secret_configs: certificates.map(secretConfig) }),
      },
    }),
  };
};

/** The part of a cluster about TLS; empty where no endpoint speaks it. */
export const buildTransportSockets = (upstream: Upstream, caFile: string): JsonObject => {
  const [first, ...others] = new Set(upstream.endpoints.filter(({ tls }) => tls).map(({ host }) => host));
  if (first === undefined) return {};
  const { secrets } = upstream;
  const socketOf = (host: string): JsonObject =>
    tlsSocket({ host, tls: upstream.settings.tls ?? {}, secrets, caFile });
  const plain = upstream.endpoints.some(({ tls }) => !tls);
  const raw = {
    name: 'envoy.transport_sockets.raw_buffer',
    typed_config: typedMessage('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer', {}),
  };
  return {
    // What matches nothing is encrypted, never sent in the clear.
    transport_socket: socketOf(first),
    transport_socket_matches: [
      ...[first, ...others].map((host, index) => ({
        name: `${SOCKET_MATCH}${index}`,
        match: { [TLS_HOST_KEY]: host },
        transport_socket: socketOf(host),
      })),
      ...(plain
        ? [{ name: `${SOCKET_MATCH}plain`, match: { [TLS_HOST_KEY]: '' }, transport_socket: raw }]
        : []),
    ],
  };
};
