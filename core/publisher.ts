// Who may publish manifests of which servers, and the public keys they sign with. A private key has no place in a
// tenant: tenants travel to every service and lie on many disks.

import type { SignatureAlgorithm } from '#core/signature-algorithm.ts';

/** A public key (RFC 7517). `alg` is fixed in it, so that a signer cannot choose a weaker one. */
export type PublicJwk = {
  readonly kty: 'EC' | 'OKP' | 'RSA';
  readonly alg: SignatureAlgorithm;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly use?: 'sig';
  readonly kid?: string;
};

export type PublisherKey = {
  /** Unique among the keys of all publishers of the tenant. */
  readonly kid: string;
  readonly jwk: PublicJwk;
  /** RFC 3339, UTC. Outside the two the key verifies nothing. */
  readonly notBefore?: string;
  readonly notAfter?: string;
};

export const CERTIFICATE_KINDS = ['spki-sha256', 'san-uri', 'san-dns'] as const;

/** What a client certificate is known by: its key, or a name its authority has put into it. */
export type PublisherCertificate = {
  readonly kind: (typeof CERTIFICATE_KINDS)[number];
  /** `spki-sha256`: base64 of the SHA-256 of the SubjectPublicKeyInfo; otherwise the subject alternative name. */
  readonly value: string;
};

export type Publisher = {
  readonly id: string;
  readonly displayName: string;
  /** Several at once: the next key is registered before the last one is withdrawn. */
  readonly keys: readonly PublisherKey[];
  /** Ids of the servers whose versions it may publish. */
  readonly servers: readonly string[];
  /** Client certificates that speak for it over mutual TLS. Absent: none. */
  readonly certificates?: readonly PublisherCertificate[];
};
