// Whether a detached signature is good: made by a key of a publisher of this tenant, over exactly these bytes, for this
// registry, and now. The cheap questions come first; whose manifest it is, is asked later, of the publisher found here.

import { calculateJwkThumbprint, errors, flattenedVerify, type JWK } from 'jose';
import type { Publisher, PublisherKey } from '#core/publisher.ts';
import { ok, type Result } from '#core/result.ts';
import { type ManifestRefusal, refuseSignature } from '#registry/manifest/refusal.ts';
import type { DetachedSignature, ProtectedHeader } from '#registry/manifest/signature-header.ts';

/** A signature that lives longer lies about as a credential. */
export const MAX_LIFETIME_SECONDS = 24 * 3_600;
/** Two clocks may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** The audience that names a tenant, wherever its registry is reached. */
export const tenantAudience = (tenantId: string): string => `urn:mcpgw:tenant:${tenantId}`;

export type SignatureRules = {
  readonly publishers: readonly Publisher[];
  readonly audiences: readonly string[];
  readonly nowSeconds: number;
};

export type Verified = {
  readonly publisher: Publisher;
  readonly kid: string;
  /** RFC 7638: the scope in which a `jti` counts, so that no publisher can use up another's. */
  readonly thumbprint: string;
  /** When its `jti` need no longer be remembered, seconds since the epoch. */
  readonly forgetAt: number;
};

type Found = { readonly publisher: Publisher; readonly key: PublisherKey };

const findKey = (publishers: readonly Publisher[], kid: string): Found | undefined => {
  for (const publisher of publishers) {
    const key = publisher.keys.find((candidate) => candidate.kid === kid);
    if (key !== undefined) return { publisher, key };
  }
  return undefined;
};

const judgeTimes = (header: ProtectedHeader, nowSeconds: number): Result<true, ManifestRefusal> => {
  const { iat, exp } = header;
  if (exp <= iat || exp - iat > MAX_LIFETIME_SECONDS)
    return refuseSignature(
      'signature-too-long-lived',
      `must lie after iat, by ${MAX_LIFETIME_SECONDS} seconds at most`,
      'exp',
    );
  if (iat > nowSeconds + CLOCK_TOLERANCE_SECONDS)
    return refuseSignature('signature-not-yet-valid', 'lies in the future', 'iat');
  return exp <= nowSeconds - CLOCK_TOLERANCE_SECONDS
    ? refuseSignature('signature-expired', 'has passed; sign again', 'exp')
    : ok(true);
};

const judgeKey = (
  { key }: Found,
  header: ProtectedHeader,
  nowSeconds: number,
): Result<true, ManifestRefusal> => {
  if (key.jwk.alg !== header.alg)
    return refuseSignature('signature-parameter-invalid', `the key is for ${key.jwk.alg}`, 'alg');
  const nowMs = nowSeconds * 1_000;
  const isEarly = key.notBefore !== undefined && nowMs < Date.parse(key.notBefore);
  const isLate = key.notAfter !== undefined && nowMs >= Date.parse(key.notAfter);
  return isEarly || isLate
    ? refuseSignature('signature-key-out-of-time', 'the key is not valid at this time', 'kid')
    : ok(true);
};

const isSignedBy = async (
  key: PublisherKey,
  bytes: Uint8Array,
  parts: DetachedSignature,
): Promise<boolean> => {
  try {
    await flattenedVerify(
      { protected: parts.protected, payload: bytes, signature: parts.signature },
      key.jwk as JWK,
      { algorithms: [key.jwk.alg] },
    );
    return true;
  } catch (thrown) {
    if (thrown instanceof errors.JOSEError) return false;
    throw thrown;
  }
};

/** Verifies `parts` over `bytes`. */
export const verifySignature = async (
  bytes: Uint8Array,
  parts: DetachedSignature,
  rules: SignatureRules,
): Promise<Result<Verified, ManifestRefusal>> => {
  const { header } = parts;
  if (!rules.audiences.includes(header.aud))
    return refuseSignature('signature-audience-mismatch', `expected ${rules.audiences.join(' or ')}`, 'aud');
  const times = judgeTimes(header, rules.nowSeconds);
  if (!times.ok) return times;
  const found = findKey(rules.publishers, header.kid);
  if (found === undefined)
    return refuseSignature(
      'signature-key-unknown',
      'no publisher of the tenant has a key of this name',
      'kid',
    );
  const judged = judgeKey(found, header, rules.nowSeconds);
  if (!judged.ok) return judged;
  if (!(await isSignedBy(found.key, bytes, parts)))
    return refuseSignature(
      'signature-invalid',
      'does not fit these bytes, this header and the key of its kid',
    );
  return ok({
    publisher: found.publisher,
    kid: header.kid,
    thumbprint: await calculateJwkThumbprint(found.key.jwk as JWK),
    forgetAt: header.exp + CLOCK_TOLERANCE_SECONDS,
  });
};
