// How Envoy proves itself to our services on other machines, and they to it. Certificate, key and authorities are read
// through secret files, so that what is renamed into their place is taken up without a restart. Pure.

import { dirname } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import type { SanPattern } from '#core/san-pattern.ts';
import { certificateDocument, secretDocument } from '#envoy/secret-document.ts';
import type { Address } from '#runtime/address.ts';
import type { TlsFiles } from '#runtime/tls/tls-files.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3';

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
});

/** Where main.ts writes what `buildInternalSecrets` gives; they hold paths, no keys. */
export type InternalSecretFiles = { readonly certificate: string; readonly authorities: string };

const CERTIFICATE = 'internal-certificate';
const AUTHORITIES = 'internal-authorities';

/** The documents of the secret files. */
export const buildInternalSecrets = (
  files: TlsFiles,
): Readonly<Record<keyof InternalSecretFiles, JsonObject>> => ({
  certificate: certificateDocument(CERTIFICATE, files.certificateFile, files.keyFile),
  authorities: secretDocument(AUTHORITIES, {
    validation_context: {
      trusted_ca: { filename: files.caFile },
      watched_directory: { path: dirname(files.caFile) },
    },
  }),
});

const SAN_TYPES = { uri: 'URI', dns: 'DNS', ip: 'IP_ADDRESS' } as const;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const matcherOf = ({ kind, text }: SanPattern): JsonObject => {
  if (kind === 'uri' && text.endsWith('/*'))
    return { safe_regex: { regex: `${escaped(text.slice(0, -1))}[^/?#]+` } };
  if (kind === 'dns' && text.startsWith('*.'))
    return { safe_regex: { regex: `[^.*]+${escaped(text.slice(1))}` } };
  return { exact: text, ignore_case: kind !== 'uri' };
};

const secretFrom = (name: string, path: string): JsonObject => ({
  name,
  sds_config: { path_config_source: { path }, resource_api_version: 'V3' },
});

/** RFC 6066 §3: a server name is a name, never an address. */
const serverName = (host: string): JsonObject =>
  host.includes(':') || /^[\d.]+$/.test(host) ? {} : { sni: host };

/** The transport socket of a service's cluster; nothing for one on this machine. */
export const serviceTransport = (address: Address, files: InternalSecretFiles | undefined): JsonObject => {
  if (address.kind !== 'tcp' || address.peers === undefined || files === undefined) return {};
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: any(`${TLS}.UpstreamTlsContext`, {
        ...serverName(address.host),
        common_tls_context: {
          tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
          alpn_protocols: ['h2'],
          tls_certificate_sds_secret_configs: [secretFrom(CERTIFICATE, files.certificate)],
          combined_validation_context: {
            default_validation_context: {
              match_typed_subject_alt_names: address.peers.map((pattern) => ({
                san_type: SAN_TYPES[pattern.kind],
                matcher: matcherOf(pattern),
              })),
            },
            validation_context_sds_secret_config: secretFrom(AUTHORITIES, files.authorities),
          },
        },
      }),
    },
  };
};
