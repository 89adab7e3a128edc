// A Security Event Token (RFC 8417) as a transmitter pushed it, in; what it says, out, once everything about it is right:
// type, algorithm, signature, issuer, audience, age. Knows no store and no meaning of an event.

import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { SharedSignals } from '#core/issuer-signals.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { isKeyOutage } from '#registry/remote-keys.ts';

/** RFC 8935 §2.4, those that are met here. */
export type SetErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

/** The description is for the transmitter's operator and repeats nothing of what was sent. */
export type SetRefusal = { readonly code: SetErrorCode; readonly description: string };

/** `keys`: it may be good, but the keys cannot be had now. */
export type SetFault = SetRefusal | 'keys';

export type SecurityEventToken = {
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  /** Time of the event (RFC 8417 §2.2), seconds since the epoch. */
  readonly toe?: number;
  readonly subject?: Json;
  readonly events: readonly { readonly type: string; readonly payload: JsonObject }[];
};

/** Transmitters try again for days; what is older than the longest life of a token ends nothing. */
const MAX_AGE_SECONDS = 7 * 24 * 3_600;
const CLOCK_TOLERANCE_SECONDS = 300;

/** Until when a token would be taken, seconds since the epoch: so long its `jti` must be remembered. */
export const takenUntil = ({ iat }: Pick<SecurityEventToken, 'iat'>): number =>
  Math.ceil(iat) + MAX_AGE_SECONDS + CLOCK_TOLERANCE_SECONDS + 1;

/** One event each is the rule (SSF 1.0 §4.1.5), alternative names of it the exception. */
const MAX_EVENTS = 16;
const MAX_JTI_LENGTH = 512;

const refuse = (code: SetErrorCode, description: string): Result<never, SetFault> =>
  err({ code, description });

/** What jose found wrong, in the words of RFC 8935. */
const faultFrom = (thrown: unknown): Result<never, SetFault> => {
  if (thrown instanceof errors.JWTExpired) return refuse('invalid_request', 'The token is too old.');
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.claim === 'aud') return refuse('invalid_audience', 'The token is for somebody else.');
    if (thrown.claim === 'iss') return refuse('invalid_issuer', 'The token is of another transmitter.');
    return refuse('invalid_request', `The ${thrown.claim} of the token is not as it must be.`);
  }
  if (thrown instanceof errors.JWTInvalid || thrown instanceof errors.JWSInvalid)
    return refuse('invalid_request', 'The body is not a Security Event Token.');
  if (isKeyOutage(thrown)) return err('keys');
  return refuse('invalid_key', 'The signature does not hold by any key that is accepted.');
};

const readEvents = (events: unknown): Result<SecurityEventToken['events'], SetFault> => {
  const all = isJsonObject(events) ? Object.entries(events) : [];
  if (all.length === 0 || all.length > MAX_EVENTS)
    return refuse('invalid_request', `Expected one to ${MAX_EVENTS} events.`);
  const read = all.flatMap(([type, payload]) => (isJsonObject(payload) ? [{ type, payload }] : []));
  return read.length === all.length
    ? ok(read)
    : refuse('invalid_request', 'The payload of an event is not an object.');
};

const readClaims = (claims: JWTPayload): Result<SecurityEventToken, SetFault> => {
  const { jti = '', iat = 0, toe, sub_id: subject } = claims;
  if (jti === '' || jti.length > MAX_JTI_LENGTH)
    return refuse('invalid_request', 'The jti is empty or too long.');
  const events = readEvents(claims['events']);
  if (!events.ok) return events;
  return ok({
    jti,
    iat,
    ...(typeof toe === 'number' ? { toe } : {}),
    ...(subject === undefined ? {} : { subject: subject as Json }),
    events: events.value,
  });
};

/** Its issuer, unverified: keys are not asked for on behalf of strangers. */
const claimedIssuer = (token: string): string | undefined => {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
};

/** @param terms.audiences values of `aud` that mean this receiver. */
export const readSet = async (
  token: string,
  terms: {
    readonly settings: SharedSignals;
    readonly audiences: readonly string[];
    readonly getKey: JWTVerifyGetKey;
    readonly nowMs: number;
  },
): Promise<Result<SecurityEventToken, SetFault>> => {
  const { settings, audiences, getKey, nowMs } = terms;
  const claimed = claimedIssuer(token);
  if (claimed !== undefined && claimed !== settings.transmitter)
    return refuse('invalid_issuer', 'The token is of another transmitter.');
  try {
    const { payload } = await jwtVerify(token, getKey, {
      // No access token and no id token may pass for an event (RFC 8417 §4.5, §4.6).
      typ: 'secevent+jwt',
      algorithms: [...settings.algorithms],
      issuer: settings.transmitter,
      audience: [...audiences],
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    });
    return readClaims(payload);
  } catch (thrown) {
    return faultFrom(thrown);
  }
};
