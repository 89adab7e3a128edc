// What an issuer's answer about a token says (RFC 7662 §2.2). "Active" is the JSON value `true` and nothing that looks like
// it; an answer that is not understood is a fault of the issuer, never a yes and never a no. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';

/** Claims of a token that is active; undefined for one that is not, for whatever reason. */
export type IntrospectedClaims = JsonObject | undefined;

const JSON_TYPE = /^application\/json(?:\s*;|$)/i;

const invalid = (detail: string): Result<never, Deny> =>
  err(deny('introspection_answer_invalid', { log: { detail } }));

const parseBody = (body: string): Result<IntrospectedClaims, Deny> => {
  const parsed = parseStrictJson(Buffer.from(body), RESPONSE_RULES);
  if (!parsed.ok) return invalid(parsed.error.reason);
  if (!isJsonObject(parsed.value)) return invalid('not an object');
  const { active } = parsed.value;
  if (typeof active !== 'boolean') return invalid('active is not a boolean');
  return ok(active ? parsed.value : undefined);
};

/**
 * Reads the answer of an introspection endpoint.
 * @returns the claims, or introspection_credential_refused (401 and 403 are about the gateway, not about the token),
 * introspection_unavailable (any other status but 200), introspection_answer_invalid.
 */
export const readIntrospection = (answer: {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}): Result<IntrospectedClaims, Deny> => {
  const log = { status: answer.status };
  if (answer.status === 401 || answer.status === 403)
    return err(deny('introspection_credential_refused', { log }));
  if (answer.status !== 200) return err(deny('introspection_unavailable', { log }));
  if (!JSON_TYPE.test(answer.contentType ?? '')) return invalid('not JSON by its type');
  return parseBody(answer.body);
};

const claimFault = (claim: string): Result<never, Deny> => err(deny('claims_invalid', { log: { claim } }));

/**
 * The claims as those of an access token of this issuer. `iss` may be missing, because the issuer itself was asked.
 * `token_type` may not: issuers answer about refresh tokens too, which look no different otherwise.
 * @returns them, or issuer_unknown, claims_invalid.
 */
export const accessTokenClaims = (claims: JsonObject, iss: string): Result<JsonObject, Deny> => {
  const { token_type: type, typ, cnf } = claims;
  if (claims['iss'] !== undefined && claims['iss'] !== iss)
    return err(deny('issuer_unknown', { log: { fault: 'the answer names another issuer' } }));
  // Keycloak says `typ` where RFC 7662 says `token_type`.
  const kind = String(type ?? typ).toLowerCase();
  if (kind !== 'bearer' && kind !== 'dpop') return claimFault('token_type');
  if (kind === 'dpop' && cnf === undefined) return claimFault('cnf');
  return ok({ ...claims, iss });
};
