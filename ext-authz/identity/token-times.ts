// When a token is valid (RFC 7519 §4.1.4–4.1.6). Judged at verification and again at every hit of the cache. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { MAX_TOKEN_LIFETIME_SECONDS } from '#core/token-lifetime.ts';

/** Seconds since the epoch. */
export type TokenTimes = {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly notBefore: number;
};

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** @returns the times of a payload, or claims_invalid: without `exp` and `iat` a token has no bound. */
export const parseTokenTimes = (payload: JsonObject): Result<TokenTimes, Deny> => {
  const { iat, exp, nbf } = payload;
  if (!isTime(iat) || !isTime(exp) || !(nbf === undefined || isTime(nbf)))
    return err(deny('claims_invalid', { log: { claim: 'exp, iat or nbf' } }));
  if (exp <= iat || exp - iat > MAX_TOKEN_LIFETIME_SECONDS)
    return err(deny('claims_invalid', { log: { claim: 'exp', lifetimeSeconds: exp - iat } }));
  return ok({ issuedAt: iat, expiresAt: exp, notBefore: Math.max(nbf ?? iat, iat) });
};

/** @returns undefined inside the validity period, give or take the tolerance; else token_expired or token_not_yet_valid. */
export const judgeTokenTimes = (
  times: Omit<TokenTimes, 'issuedAt'>,
  toleranceSeconds: number,
  nowSeconds: number,
): Deny | undefined => {
  if (times.expiresAt <= nowSeconds - toleranceSeconds)
    return deny('token_expired', { log: { expiresAt: times.expiresAt } });
  if (times.notBefore > nowSeconds + toleranceSeconds)
    return deny('token_not_yet_valid', { log: { notBefore: times.notBefore } });
  return undefined;
};
