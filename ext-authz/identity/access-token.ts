// The access token of a request, or why there is none: exactly one Authorization header, scheme Bearer (RFC 6750 §2.1)
// or DPoP (RFC 9449 §7.1). Looks nowhere else for a credential and does not know what a token means. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';

/** Request headers: lower-case names, every value a name was sent with. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

export type AccessToken = {
  readonly scheme: 'bearer' | 'dpop';
  readonly token: Secret;
};

/** Longest Authorization value that is read. Entra's largest tokens (200 groups) stay under 12 KiB. */
const MAX_CREDENTIAL_LENGTH = 16 * 1024;

/** The form of both schemes' tokens (`b64token`, `token68`). It holds no comma, so two joined headers never look like one. */
const B64_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

const SCHEME = /^(bearer|dpop)(?: |$)/i;

/**
 * @returns the token, or token_missing (nothing, or another scheme: RFC 6750 §3.1 treats both alike),
 * credential_misplaced (several credentials: which one did the client mean?), token_malformed.
 */
export const findAccessToken = (headers: RequestHeaders): Result<AccessToken, Deny> => {
  const values = headers.get('authorization') ?? [];
  const [value] = values;
  if (value === undefined) return err(deny('token_missing'));
  if (values.length > 1 || value.includes(',')) return err(deny('credential_misplaced'));
  if (value.length > MAX_CREDENTIAL_LENGTH)
    return err(deny('token_malformed', { log: { length: value.length } }));
  const scheme = SCHEME.exec(value)?.[1];
  if (scheme === undefined) return err(deny('token_missing', { log: { scheme: 'other' } }));
  const token = value.slice(scheme.length).trim();
  if (!B64_TOKEN.test(token)) return err(deny('token_malformed'));
  return ok({ scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token: new Secret(token) });
};
