// A bundle of a tenant's policy, as the store keeps it.

/** A bundle of a tenant's policy that was uploaded. It judges nobody before the tenant names it. */
export type PolicyBundleSummary = {
  /** Counts bundles of all tenants; orders a list. */
  readonly number: number;
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** The author's word for it; may be empty. */
  readonly revision: string;
  /** Bytes. */
  readonly size: number;
  /** Thumbprint of the key that signed it, and what that was called then. Absent: nobody did. */
  readonly signedBy?: string;
  readonly kid?: string;
  /** RFC 3339. */
  readonly at: string;
};

export type StoredPolicyBundle = PolicyBundleSummary & { readonly bytes: Uint8Array };
