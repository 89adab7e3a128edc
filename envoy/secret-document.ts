// Documents by which Envoy reads certificates from files on its machine: it takes up what is renamed into their place,
// without a restart and without touching a listener. They hold paths, no keys. Pure.

import { dirname } from 'node:path';
import type { JsonObject } from '#core/json.ts';

/** A secret as a file of resources. */
export const secretDocument = (name: string, fields: JsonObject): JsonObject => ({
  resources: [
    { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret', name, ...fields },
  ],
});

/**
 * Kubernetes renames a directory above the files, never the files: the watch is on their directory for that. With two
 * directories Envoy watches each file by itself.
 */
const watched = (first: string, second: string): JsonObject =>
  dirname(first) === dirname(second) ? { watched_directory: { path: dirname(first) } } : {};

/** Who may sign certificates of the other side; `crlFile` may be empty. */
export const authoritiesDocument = (name: string, caFile: string, crlFile: string): JsonObject =>
  secretDocument(name, {
    validation_context: {
      trusted_ca: { filename: caFile },
      ...(crlFile === '' ? {} : { crl: { filename: crlFile } }),
    },
  });

/** A certificate (with its chain) and its key. */
export const certificateDocument = (name: string, certificateFile: string, keyFile: string): JsonObject =>
  secretDocument(name, {
    tls_certificate: {
      certificate_chain: { filename: certificateFile },
      private_key: { filename: keyFile },
      ...watched(certificateFile, keyFile),
    },
  });
