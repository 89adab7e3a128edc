// By which algorithms what is signed may be signed, whoever signs it.

/** JWS algorithms the gateway verifies. Symmetric ones and `none` are absent on purpose: HS256 under a public key is the classic forgery. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];
