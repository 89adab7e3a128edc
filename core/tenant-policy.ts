// A tenant's own policy: which bundle judges its calls beside the platform's policy, and whose signature a bundle needs.
// The bundle itself is named by its digest and lies elsewhere: a tenant travels to every service, a bundle to one.

import { createHash } from 'node:crypto';
import type { PublicJwk, PublisherKey } from '#core/publisher.ts';

export type BundleReference = {
  /** SHA-256 of the archive as it was uploaded, hex. */
  readonly digest: string;
  /** Thumbprint (RFC 7638, SHA-256) of the key whose signature was verified at the upload. Absent: nobody's. */
  readonly signedBy?: string;
};

export type TenantPolicy = {
  /** Absent: the platform's policy judges alone. */
  readonly bundle?: BundleReference;
  /** Is asked beside what judges, to compare; it decides nothing. */
  readonly shadow?: BundleReference;
  /** Keys that sign bundles of this tenant. */
  readonly keys: readonly PublisherKey[];
  /** True: a bundle serves only if one of `keys` has signed it. */
  readonly requireSignature: boolean;
};

/** Members of a policy that name a bundle. */
export const BUNDLE_MEMBERS = ['bundle', 'shadow'] as const satisfies readonly (keyof TenantPolicy)[];
export type BundleMember = (typeof BUNDLE_MEMBERS)[number];

/** The members that make a key, in the order of RFC 7638 §3.2. */
const MEMBERS: Readonly<Record<PublicJwk['kty'], readonly (keyof PublicJwk)[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
};

/** What a key is, whatever it is called. */
export const keyThumbprint = (jwk: PublicJwk): string => {
  const members = Object.fromEntries(MEMBERS[jwk.kty].map((name) => [name, jwk[name]]));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
};
