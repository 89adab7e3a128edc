// Whether the token that came is the one that was asked for. It is sent on all the same to one server only; but what that
// server is given it can use elsewhere, so a token that opens more is not given to it. Pure.

import { decodeJwt } from 'jose';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';
import type { ExchangedToken, ExchangeFailure } from '#ext-authz/token/exchanger.ts';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';

/** RFC 8693 §2.2.1 requires the type. An id token or a refresh token is no business of a server's. */
const isOtherType = ({ kind, requestedTokenType = 'access_token' }: ExchangePlan, issued?: string): boolean =>
  kind === 'token-exchange' && issued !== `${TOKEN_TYPE}${requestedTokenType}`;

/**
 * Fewer scopes are the provider's right (RFC 6749 §3.3), more are nobody's. Entra is left out: it answers with every
 * scope that was ever consented to, and `/.default` names none.
 */
const isWider = ({ directory, scopes }: ExchangePlan, issued: readonly string[] = []): boolean =>
  directory === undefined && scopes.length > 0 && issued.some((scope) => !scopes.includes(scope));

/**
 * A signature is not looked at: the token came from the token endpoint itself, over TLS (OpenID Connect Core
 * §3.1.3.7). One that cannot be read is opaque, which a provider may issue; nothing can be said against it.
 */
const readAudience = (token: string): readonly unknown[] | undefined => {
  try {
    return [decodeJwt(token).aud].flat();
  } catch {
    return undefined;
  }
};

/** A token with a second audience would let the server call that one in the caller's name. */
const isForOthers = ({ expectedAudience }: ExchangePlan, exchanged: ExchangedToken): boolean =>
  expectedAudience !== undefined &&
  (readAudience(exchanged.token.reveal()) ?? [expectedAudience]).some((aud) => aud !== expectedAudience);

/** Why a token is not used; undefined for one that is. */
export const findUnfit = (plan: ExchangePlan, exchanged: ExchangedToken): ExchangeFailure | undefined => {
  if (isOtherType(plan, exchanged.issuedTokenType)) return { kind: 'unfit', detail: 'token-type' };
  if (isWider(plan, exchanged.scopes)) return { kind: 'unfit', detail: 'scopes' };
  return isForOthers(plan, exchanged) ? { kind: 'unfit', detail: 'audience' } : undefined;
};
