// Proof of possession by DPoP (RFC 9449), as far as more than one part has to know it: what a binding may ask for and
// which signatures proofs may have.

/** `offered`: bearer tokens and tokens that are bound to a key. `required`: only the latter. Neither: only the former. */
export const DPOP_MODES = ['offered', 'required'] as const;
export type DpopMode = (typeof DPOP_MODES)[number];

/** JWS algorithms of proofs. The key comes with the proof, so a symmetric one would prove nothing to anybody. */
export const DPOP_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const;
