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

/** An OPA of the tenant's own, asked over its Data API after everything else has permitted a call. */
export type RemotePolicy = {
  /**
   * Of the package that answers, e.g. `https://opa.acme.example/v1/data/mcp/authz`; what is asked is `/decision` and
   * `/visible` below it.
   */
  readonly url: string;
  /** How long an answer is waited for, milliseconds. Later the call is refused. */
  readonly timeoutMs: number;
  /** File with the bearer token that it wants; absent: it is asked without. */
  readonly secretName?: string;
};

export type TenantPolicy = {
  /** Absent: the platform's policy judges alone. */
  readonly bundle?: BundleReference;
  /** Is asked beside what judges, to compare; it decides nothing. */
  readonly shadow?: BundleReference;
  /** Must permit a call too, where there is one. */
  readonly remote?: RemotePolicy;
  /** Keys that sign bundles of this tenant. */
  readonly keys: readonly PublisherKey[];
  /** True: a bundle serves only if one of `keys` has signed it. */
  readonly requireSignature: boolean;
};

/** Members of a policy that name a bundle. */
export const BUNDLE_MEMBERS = ['bundle', 'shadow'] as const satisfies readonly (keyof TenantPolicy)[];
export type BundleMember = (typeof BUNDLE_MEMBERS)[number];

/** Digests of the bundles that a policy names. */
export const bundleDigests = (policy: TenantPolicy | undefined): readonly string[] =>
  BUNDLE_MEMBERS.flatMap((member) => policy?.[member]?.digest ?? []);

/** Digests of bundles that a change makes a policy name. */
export const newBundleDigests = (
  before: TenantPolicy | undefined,
  after: TenantPolicy | undefined,
): readonly string[] => {
  const known = bundleDigests(before);
  return bundleDigests(after).filter((digest) => !known.includes(digest));
};

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
