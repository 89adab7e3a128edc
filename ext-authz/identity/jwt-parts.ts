// A compact JWS taken apart without being believed (RFC 7515 §7.1): enough to find the issuer and key that can say
// whether it is true. Nothing here may be used for anything else. Pure.

import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '#core/signature-algorithm.ts';

/** What an unverified token says about itself. */
export type TokenHint = {
  readonly algorithm: SignatureAlgorithm;
  readonly kid?: string;
  readonly iss: string;
  readonly tid?: string;
};

/** Key ids are digests or short names; a long one only serves to fill logs. */
const MAX_KID_LENGTH = 256;

const isVerifiable = (alg: unknown): alg is SignatureAlgorithm =>
  SIGNATURE_ALGORITHMS.some((algorithm) => algorithm === alg);

const isKid = (kid: unknown): kid is string | undefined =>
  kid === undefined || (typeof kid === 'string' && kid.length <= MAX_KID_LENGTH);

const decode = (token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } => ({
  header: { ...decodeProtectedHeader(token) },
  payload: { ...decodeJwt(token) },
});

const readHint = (token: string): Result<TokenHint, Deny> => {
  const { header, payload } = decode(token);
  const { alg, kid, crit } = header;
  if (!isVerifiable(alg)) return err(deny('token_algorithm_refused'));
  // No extension of RFC 7515 §4.1.11 is understood here. `jku`, `x5u`, `jwk` and `x5c` are not even looked at.
  if (crit !== undefined || !isKid(kid)) return err(deny('token_malformed'));
  const { iss, tid } = payload;
  if (typeof iss !== 'string') return err(deny('issuer_unknown', { log: { fault: 'no iss' } }));
  return ok({
    algorithm: alg,
    iss,
    ...(kid === undefined ? {} : { kid }),
    ...(typeof tid === 'string' ? { tid } : {}),
  });
};

/** True for three dot-separated parts: the only serialization that is verified. */
export const looksLikeJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

/**
 * Reads the hint of a token.
 * @returns it, or token_malformed, token_algorithm_refused (`none`, every HMAC, everything not listed), issuer_unknown.
 */
export const parseTokenHint = (token: string): Result<TokenHint, Deny> => {
  try {
    return readHint(token);
  } catch {
    return err(deny('token_malformed'));
  }
};
