// A bearer token of an admin issuer in, a caller out. Whatever is not plainly right about the token is one answer
// outside, and its kind in the log.

import { decodeJwt, type errors, type JWTPayload, jwtVerify } from 'jose';
import { findClaim } from '#core/find-claim.ts';
import { principalKey } from '#core/identity.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { SIGNATURE_ALGORITHMS } from '#core/signature-algorithm.ts';
import type { AdminTrust, AdminTrusts, TokenOrigin } from '#registry/api/auth/admin-trusts.ts';
import type { Caller } from '#registry/api/auth/roles.ts';
import { isKeyOutage } from '#registry/remote-keys.ts';

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

const callerFrom = (payload: JWTPayload, trust: AdminTrust): Result<Caller, AuthenticationFault> => {
  const { iss: issuer, sub: subject } = payload;
  if (issuer === undefined || subject === undefined || subject === '') return invalid('no_subject');
  const roles = findClaim(payload as JsonObject, trust.rolesClaim) ?? [];
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) return invalid('roles');
  const tid = textClaim(payload, 'tid');
  const oid = textClaim(payload, 'oid');
  return ok({ principal: principalKey({ issuer, subject, tid, oid }), roles: trust.rolesOf(roles) });
};

const faultFrom = (thrown: unknown): Result<never, AuthenticationFault> =>
  isKeyOutage(thrown) ? err({ kind: 'unavailable' }) : invalid((thrown as errors.JOSEError).code);

/** Where a token says it comes from. Nothing of it is believed yet: it only chooses what the token is held against. */
const originOf = (token: string): TokenOrigin | undefined => {
  try {
    const { iss, aud } = decodeJwt(token);
    return typeof iss === 'string' ? { issuer: iss, audiences: [aud ?? []].flat() } : undefined;
  } catch {
    return undefined;
  }
};

const verify = async (token: string, trust: AdminTrust): Promise<Result<Caller, AuthenticationFault>> => {
  const { issuer, audience } = trust;
  try {
    const { payload } = await jwtVerify(token, trust.getKey, {
      issuer,
      audience,
      algorithms: [...SIGNATURE_ALGORITHMS],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return callerFrom(payload, trust);
  } catch (thrown) {
    return faultFrom(thrown);
  }
};

/**
 * Builds the check of the Authorization header.
 * @throws GatewayError `store_failed`, where what is trusted cannot be read.
 */
export const createAuthenticate =
  (trusts: Pick<AdminTrusts, 'find'>): Authenticate =>
  async (authorization) => {
    if (authorization === undefined) return err({ kind: 'missing' });
    const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) return invalid('malformed');
    const origin = originOf(token);
    if (origin === undefined) return invalid('malformed');
    const trust = await trusts.find(origin);
    if (trust === undefined || trust === 'ambiguous') return invalid(`trust_${trust ?? 'unknown'}`);
    return verify(token, trust);
  };
