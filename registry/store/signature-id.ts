// What makes a signed thing the one it is, so that it counts once.

/** A signature that was used: `jti` counts among those of one key (RFC 7638 thumbprint). */
export type SignatureId = {
  readonly thumbprint: string;
  readonly jti: string;
  /** Seconds since the epoch; from then on the signature has expired and need not be remembered. */
  readonly forgetAt: number;
};
