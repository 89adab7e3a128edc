// Verifies a DPoP proof (RFC 9449 §4.3): a small JWT by which a caller shows, for this one request, that it holds the key
// its token is bound to. Whether the proof was used before is for dpop-replay.ts.

import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, errors, importJWK, type JWK, jwtVerify } from 'jose';
import { type Deny, deny } from '#core/decision.ts';
import { DPOP_ALGORITHMS } from '#core/dpop.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { normaliseHttpUri } from '#ext-authz/identity/dpop-uri.ts';
import { looksLikeJwt } from '#ext-authz/identity/jwt-parts.ts';

/** What a proof must be for. */
export type ProofSubject = {
  readonly method: string;
  /** Absolute, made from configuration: what a Host header says is the caller's own word. */
  readonly url: string;
  readonly token: Secret;
  /** Thumbprint of the key the token is bound to. */
  readonly jkt: string;
  readonly nowSeconds: number;
};

export type VerifiedProof = { readonly jti: string };

/** How far the caller's clock may be off, either way, and for how long a proof is good; seconds. */
export const PROOF_WINDOW_SECONDS = 60;

/** With an RSA key of 4096 bits a proof is about 2 KiB. */
const MAX_PROOF_LENGTH = 8 * 1024;
const MAX_MEMBER_LENGTH = 1_024;
const MAX_ID_LENGTH = 256;

/** What makes a public key, by its type: RFC 7638 §3.2, RFC 8037 §2. Any other member of a header's key is not looked at. */
const KEY_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  RSA: ['e', 'n'],
};

/** Whoever sends one of these has given the key away: what it signs proves nothing any more (RFC 9449 §4.3, step 7). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const malformed = (fault: string): Result<never, Deny> =>
  err(deny('dpop_proof_malformed', { log: { fault } }));

const readKey = (jwk: unknown): Result<JWK, Deny> => {
  if (!isJsonObject(jwk)) return malformed('no jwk');
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return malformed('private jwk');
  const { kty } = jwk;
  const names = typeof kty === 'string' && Object.hasOwn(KEY_MEMBERS, kty) ? KEY_MEMBERS[kty] : undefined;
  if (names === undefined) return malformed('kty');
  const members = names.map((name) => [name, jwk[name]] as const);
  return members.every(([, value]) => typeof value === 'string' && value.length <= MAX_MEMBER_LENGTH)
    ? ok({ kty, ...Object.fromEntries(members) } as JWK)
    : malformed('jwk');
};

type ProofKey = { readonly algorithm: string; readonly jwk: JWK };

const readHeader = (proof: string): Result<ProofKey, Deny> => {
  if (proof.length > MAX_PROOF_LENGTH || !looksLikeJwt(proof)) return malformed('form');
  let header: Record<string, unknown>;
  try {
    header = { ...decodeProtectedHeader(proof) };
  } catch {
    return malformed('header');
  }
  const { typ, alg, crit, jwk } = header;
  if (typ !== 'dpop+jwt') return malformed('typ');
  if (!DPOP_ALGORITHMS.some((algorithm) => algorithm === alg)) return err(deny('dpop_algorithm_refused'));
  if (crit !== undefined) return malformed('crit');
  const key = readKey(jwk);
  return key.ok ? ok({ algorithm: String(alg), jwk: key.value }) : key;
};

const REASON_BY_CODE: Readonly<Record<string, Reason>> = {
  [errors.JWSSignatureVerificationFailed.code]: 'dpop_signature_invalid',
  [errors.JWTExpired.code]: 'dpop_proof_untimely',
};

/**
 * Whatever is thrown here is about the key or the text the caller sent, and no two libraries throw alike at a key that is
 * no point of its curve: all of it is a refusal.
 */
const readSigned = async (
  proof: string,
  { algorithm, jwk }: ProofKey,
  nowSeconds: number,
): Promise<Result<JsonObject, Deny>> => {
  try {
    const key = await importJWK(jwk, algorithm);
    const options = { algorithms: [algorithm], currentDate: new Date(nowSeconds * 1000) };
    return ok((await jwtVerify(proof, key, options)).payload as JsonObject);
  } catch (thrown) {
    const code = thrown instanceof errors.JOSEError ? thrown.code : 'key';
    return err(deny(REASON_BY_CODE[code] ?? 'dpop_proof_malformed', { log: { code } }));
  }
};

const hashOf = (token: Secret): string => createHash('sha256').update(token.reveal()).digest('base64url');

const judgeClaims = (claims: JsonObject, subject: ProofSubject): Result<VerifiedProof, Deny> => {
  const { jti, htm, htu, iat, ath } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID_LENGTH) return malformed('jti');
  if (typeof iat !== 'number' || typeof htu !== 'string') return malformed('iat or htu');
  if (htm !== subject.method) return err(deny('dpop_wrong_request', { log: { claim: 'htm' } }));
  const address = normaliseHttpUri(htu);
  if (address === undefined || address !== normaliseHttpUri(subject.url))
    return err(deny('dpop_wrong_request', { log: { claim: 'htu', expected: subject.url } }));
  const offBy = iat - subject.nowSeconds;
  if (!(Math.abs(offBy) <= PROOF_WINDOW_SECONDS))
    return err(deny('dpop_proof_untimely', { log: { offBySeconds: Math.round(offBy) } }));
  if (ath !== hashOf(subject.token)) return err(deny('dpop_wrong_token'));
  return ok({ jti });
};

const thumbprintOf = async (jwk: JWK): Promise<string | undefined> => {
  try {
    return await calculateJwkThumbprint(jwk, 'sha256');
  } catch {
    return undefined;
  }
};

/**
 * Verifies one proof.
 * @returns its id, or the Deny that names what is wrong with it: dpop_proof_malformed, dpop_algorithm_refused,
 * dpop_key_mismatch (before the signature: only keys an issuer knows cost one), dpop_signature_invalid,
 * dpop_wrong_request, dpop_proof_untimely, dpop_wrong_token.
 */
export const verifyProof = async (
  proof: string,
  subject: ProofSubject,
): Promise<Result<VerifiedProof, Deny>> => {
  const header = readHeader(proof);
  if (!header.ok) return header;
  if ((await thumbprintOf(header.value.jwk)) !== subject.jkt) return err(deny('dpop_key_mismatch'));
  const claims = await readSigned(proof, header.value, subject.nowSeconds);
  return claims.ok ? judgeClaims(claims.value, subject) : claims;
};
