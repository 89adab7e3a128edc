// Verifies a JWT access token (RFC 7519, RFC 8725): algorithm before anything else, then issuer by exact list, then
// key, signature, audience, times, and only then what it says about its bearer. Every refusal has a name.

import { errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { Basis, CredentialVerifier, Presentation } from '#ext-authz/identity/credential.ts';
import { acceptIssuer } from '#ext-authz/identity/issuers.ts';
import { looksLikeJwt, parseTokenHint, type TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import type { FoundKey } from '#ext-authz/identity/key-set-document.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import { credentialFromClaims, findBinding, type Terms } from '#ext-authz/identity/verified-claims.ts';

const REASON_BY_CODE: Readonly<Record<string, Reason>> = {
  [errors.JOSEAlgNotAllowed.code]: 'token_algorithm_refused',
  [errors.JOSENotSupported.code]: 'token_algorithm_refused',
  [errors.JWSInvalid.code]: 'token_malformed',
  [errors.JWTInvalid.code]: 'token_malformed',
  [errors.JWSSignatureVerificationFailed.code]: 'signature_invalid',
  [errors.JWTExpired.code]: 'token_expired',
};

const REASON_BY_CLAIM: Readonly<Record<string, Reason>> = {
  aud: 'audience_mismatch',
  iss: 'issuer_unknown',
  nbf: 'token_not_yet_valid',
};

/** The reason behind what jose threw. Anything that is not jose's is broken machinery and is thrown on. */
const denyFromThrown = (thrown: unknown, issuer: TrustedIssuer): Deny => {
  if (!(thrown instanceof errors.JOSEError)) throw GatewayError.from(thrown);
  const log = { issuer: issuer.id, code: thrown.code };
  if (!(thrown instanceof errors.JWTClaimValidationFailed))
    return deny(REASON_BY_CODE[thrown.code] ?? 'token_malformed', { log });
  const { claim } = thrown;
  return deny(REASON_BY_CLAIM[claim] ?? 'claims_invalid', { log: { ...log, claim } });
};

const findTerms = (hint: TokenHint, at: Presentation): Result<Terms, Deny> => {
  const accepted = acceptIssuer(at.tenant, hint);
  if (!accepted.ok) return accepted;
  const { issuer } = accepted.value;
  if (!issuer.algorithms.includes(hint.algorithm))
    return err(deny('token_algorithm_refused', { log: { issuer: issuer.id } }));
  const binding = findBinding(at.server, issuer);
  return binding.ok ? ok({ accepted: accepted.value, binding: binding.value }) : binding;
};

const findVerificationKey = async (
  keySets: KeySets,
  issuer: TrustedIssuer,
  hint: TokenHint,
): Promise<Result<FoundKey, Deny>> => {
  // Entra names the key in every token; one that does not is not Entra's.
  if (issuer.kind === 'entra' && hint.kid === undefined)
    return err(deny('key_unknown', { log: { kid: null } }));
  const finding = await keySets.find(issuer, hint);
  if (finding.kind === 'found') return ok(finding);
  const log = { issuer: issuer.id, kid: hint.kid?.slice(0, 64) ?? null, finding: finding.kind };
  return err(deny(finding.kind === 'unavailable' ? 'keys_unavailable' : 'key_unknown', { log }));
};

const optionsOf = (terms: Terms, nowSeconds: number): JWTVerifyOptions => {
  const { issuer, iss } = terms.accepted;
  return {
    algorithms: [...issuer.algorithms],
    issuer: iss,
    audience: [...terms.binding.audiences],
    requiredClaims: ['exp', 'iat'],
    clockTolerance: issuer.clockToleranceSeconds,
    currentDate: new Date(nowSeconds * 1000),
    ...(issuer.tokenType === undefined ? {} : { typ: issuer.tokenType }),
  };
};

const verifySignature = async (
  token: Secret,
  key: FoundKey['key'],
  terms: Terms & { readonly nowSeconds: number },
): Promise<Result<JsonObject, Deny>> => {
  try {
    const verified = await jwtVerify(token.reveal(), key, optionsOf(terms, terms.nowSeconds));
    return ok(verified.payload as JsonObject);
  } catch (thrown) {
    return err(denyFromThrown(thrown, terms.accepted.issuer));
  }
};

const bases = new WeakMap<FoundKey['key'], Basis & { readonly kind: 'keys' }>();

/** The very same for all tokens of a key, as long as its set and its time are: a hundred thousand of them are remembered. */
const basisOf = ({ key, endsAt }: FoundKey, revision: string): Basis => {
  const known = bases.get(key);
  if (known?.revision === revision && known.until === endsAt) return known;
  const basis = { kind: 'keys', revision, until: endsAt } as const;
  bases.set(key, basis);
  return basis;
};

/** Verifies JWTs with the keys of their issuers. */
export const createJwtVerifier = (keySets: KeySets): CredentialVerifier => ({
  recognises: looksLikeJwt,
  verify: async (token, at) => {
    const hint = parseTokenHint(token.reveal());
    if (!hint.ok) return hint;
    const terms = findTerms(hint.value, at);
    if (!terms.ok) return terms;
    const { issuer } = terms.value.accepted;
    // Read before the key is: if keys change meanwhile, the result is remembered under the older revision and dropped.
    const keyRevision = keySets.revision(issuer) ?? '';
    const key = await findVerificationKey(keySets, issuer, hint.value);
    if (!key.ok) return key;
    const known = { ...terms.value, nowSeconds: at.nowSeconds };
    const payload = await verifySignature(token, key.value.key, known);
    if (!payload.ok) return payload;
    return credentialFromClaims(payload.value, { ...known, basis: basisOf(key.value, keyRevision) });
  },
});
