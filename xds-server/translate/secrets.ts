// Certificates of servers in Envoy's words. Each server has resources of its own, also where two of a tenant name one
// secret, so that a node that serves one server can be given its secrets and no others.

import type { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';

/** `certificate`: what we prove who we are by, with its key. `ca`: whose certificates we believe. */
export type SecretUse = 'certificate' | 'ca';

export type SecretRef = {
  readonly use: SecretUse;
  readonly tenantId: string;
  readonly serverId: string;
  readonly name: string;
};

/** PEM. */
export type SecretMaterial =
  | { readonly use: 'certificate'; readonly certificate: string; readonly key: Secret }
  | { readonly use: 'ca'; readonly certificates: string };

/** What is known of a secret right now; the same value while it stays the same. Undefined: there is none. */
export type MaterialOf = (ref: SecretRef) => SecretMaterial | undefined;

/** Name of the resource; only the last part may hold dots. */
export const secretResourceName = ({ use, tenantId, serverId, name }: SecretRef): string =>
  `mcp.${tenantId}.${serverId}.${use}.${name}`;

/** Secrets that a server's settings name. */
export const secretsOf = (tenantId: string, { id: serverId, upstream }: McpServer): readonly SecretRef[] => {
  const { caSecret, clientCertificateSecret } = upstream?.tls ?? {};
  const own = (use: SecretUse, name: string | undefined): readonly SecretRef[] =>
    name === undefined ? [] : [{ use, tenantId, serverId, name }];
  return [...own('ca', caSecret), ...own('certificate', clientCertificateSecret)];
};

const inline = (pem: string) => ({ inline_string: pem });

/** The Secret resource. It holds the private key: what is done with it may name it and nothing more. */
export const buildSecret = (ref: SecretRef, material: SecretMaterial): TypedMessage =>
  typedMessage('envoy.extensions.transport_sockets.tls.v3.Secret', {
    name: secretResourceName(ref),
    ...(material.use === 'ca'
      ? { validation_context: { trusted_ca: inline(material.certificates) } }
      : {
          tls_certificate: {
            certificate_chain: inline(material.certificate),
            private_key: inline(material.key.reveal()),
          },
        }),
  });
