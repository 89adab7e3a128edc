// What a token endpoint answered, read with suspicion: only known members, only of the expected shape.
// Pure; knows no MSAL and no meaning of an error.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { isVisibleAscii } from '#core/visible-ascii.ts';
import type { ExchangedToken, ExchangeFailure } from '#ext-authz/token/exchanger.ts';

/** Longest wait a provider can impose on us, seconds (MSAL's own bound). */
const MAX_RETRY_AFTER_SECONDS = 3600;

/** Longest claims challenge passed on: it travels in a header. */
const MAX_CLAIMS_CHARACTERS = 4096;

/** Longest lifetime believed, seconds: continuous access evaluation reaches 28 hours. */
const MAX_LIFETIME_SECONDS = 28 * 3600;

export type ProviderAnswer = {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Absent: the body was no JSON object. */
  readonly body?: JsonObject;
};

/** The body as a JSON object, if it is one. */
export const parseProviderBody = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** `Retry-After` in seconds (RFC 9110 §10.2.3): a number or a date. */
export const parseRetryAfter = (text: string | null, nowSeconds: number): number | undefined => {
  if (text === null) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Math.ceil(Date.parse(text) / 1000) - nowSeconds;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
};

const findText = (value: Json | undefined, pattern: RegExp): string | undefined =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

const findCodes = (value: Json | undefined): readonly number[] =>
  (Array.isArray(value) ? value : []).filter((code) => Number.isSafeInteger(code)).slice(0, 8);

const isShortJson = (value: Json | undefined): value is string =>
  typeof value === 'string' &&
  value.length <= MAX_CLAIMS_CHARACTERS &&
  parseProviderBody(value) !== undefined;

const refusalFrom = (answer: ProviderAnswer, body: JsonObject, nowSeconds: number): ExchangeFailure => {
  const { error, suberror, claims, trace_id: trace, correlation_id: correlation } = body;
  const facts = {
    suberror: findText(suberror, NAME),
    claims: isShortJson(claims) ? claims : undefined,
    retryAfterSeconds: parseRetryAfter(answer.retryAfter, nowSeconds),
    traceId: findText(trace, GUID),
    correlationId: findText(correlation, GUID),
  };
  return {
    kind: 'refused',
    status: answer.status,
    error: findText(error, NAME) ?? 'unnamed',
    codes: findCodes(body['error_codes']),
    ...(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as object),
  };
};

const tokenFrom = (body: JsonObject): ExchangedToken | undefined => {
  const { access_token: token, token_type: type, expires_in: expiresIn } = body;
  const { scope, issued_token_type: issuedTokenType } = body;
  const seconds = Number(expiresIn);
  if (typeof token !== 'string' || !(seconds > 0)) return undefined;
  // One that cannot stand in a header is found out now, before an approval is used up for it and an allow is on record.
  if (!isVisibleAscii(token)) return undefined;
  // A key-bound token (PoP, DPoP) would be refused upstream as a bearer one.
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return undefined;
  return {
    token: new Secret(token),
    expiresInSeconds: Math.min(Math.floor(seconds), MAX_LIFETIME_SECONDS),
    ...(typeof scope === 'string' ? { scopes: scope.split(' ').filter((word) => word !== '') } : {}),
    ...(typeof issuedTokenType === 'string' ? { issuedTokenType } : {}),
  };
};

/** The token of an answer, or what the answer was instead. A body with both a token and an error is an error. */
export const tokenFromAnswer = (
  answer: ProviderAnswer,
  nowSeconds: number,
): Result<ExchangedToken, ExchangeFailure> => {
  const { status, body } = answer;
  if (body !== undefined && body['error'] !== undefined) return err(refusalFrom(answer, body, nowSeconds));
  const token = status === 200 && body !== undefined ? tokenFrom(body) : undefined;
  if (token !== undefined) return ok(token);
  const retryAfterSeconds = parseRetryAfter(answer.retryAfter, nowSeconds);
  return err({
    kind: 'unreadable',
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
};
