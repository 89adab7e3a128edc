// A bearer token of the admin issuer in, a caller out. Whatever is not plainly right about the token is one answer
// outside, and its kind in the log.

import { errors, type JWTPayload, jwtVerify } from 'jose';
import { principalKey } from '#core/identity.ts';
import { SIGNATURE_ALGORITHMS } from '#core/issuer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { AdminKeys } from '#registry/api/auth/admin-keys.ts';
import type { Caller } from '#registry/api/auth/roles.ts';

const CLOCK_TOLERANCE_SECONDS = 30;
/** Longer ones are no token of ours, and hashing them is work for nothing. */
const MAX_TOKEN_LENGTH = 16_384;

/** `missing`: no token was sent. `unavailable`: it may be good, the issuer's keys cannot be had. */
export type AuthenticationFault =
  | { readonly kind: 'missing' | 'unavailable' }
  | { readonly kind: 'invalid'; readonly code: string };

export type Authenticate = (
  authorization: string | undefined,
) => Promise<Result<Caller, AuthenticationFault>>;

const invalid = (code: string): Result<never, AuthenticationFault> => err({ kind: 'invalid', code });

const textClaim = (payload: JWTPayload, name: string): string | undefined =>
  typeof payload[name] === 'string' ? (payload[name] as string) : undefined;

const callerFrom = (payload: JWTPayload): Result<Caller, AuthenticationFault> => {
  const { iss: issuer, sub: subject } = payload;
  if (issuer === undefined || subject === undefined || subject === '') return invalid('no_subject');
  const roles = payload['roles'] ?? [];
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) return invalid('roles');
  const tid = textClaim(payload, 'tid');
  const oid = textClaim(payload, 'oid');
  return ok({ principal: principalKey({ issuer, subject, tid, oid }), roles: new Set(roles) });
};

/** No answer in time, no key document in the answer, no 200 (which jose gives no code of its own). */
const OUTAGE_CODES: ReadonlySet<string> = new Set([
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
  errors.JOSEError.code,
]);

/** jose names what is wrong with a token by a code; anything else means that its keys could not be had. */
const faultFrom = (thrown: unknown): Result<never, AuthenticationFault> => {
  if (!(thrown instanceof errors.JOSEError)) return err({ kind: 'unavailable' });
  return OUTAGE_CODES.has(thrown.code) ? err({ kind: 'unavailable' }) : invalid(thrown.code);
};

/** Builds the check of the Authorization header. */
export const createAuthenticate = (options: {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: AdminKeys;
}): Authenticate => {
  const { issuer, audience, keys } = options;
  return async (authorization) => {
    if (authorization === undefined) return err({ kind: 'missing' });
    const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) return invalid('malformed');
    try {
      const { payload } = await jwtVerify(token, keys.getKey, {
        issuer,
        audience,
        algorithms: [...SIGNATURE_ALGORITHMS],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return callerFrom(payload);
    } catch (thrown) {
      return faultFrom(thrown);
    }
  };
};
