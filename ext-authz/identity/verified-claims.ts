// From claims that are known to be their issuer's own to a verified credential: audience, times, binding to a key, and who
// it is. The same for every kind of token; how the claims came to be known is each kind's own affair. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { IssuerBinding, McpServer } from '#core/server.ts';
import { identityFromToken } from '#ext-authz/identity/claims.ts';
import { parseConfirmation } from '#ext-authz/identity/confirmation.ts';
import type { VerifiedCredential } from '#ext-authz/identity/credential.ts';
import type { AcceptedIssuer } from '#ext-authz/identity/issuers.ts';
import { judgeTokenTimes, parseTokenTimes } from '#ext-authz/identity/token-times.ts';

/** The rules of one issuer for one server. */
export type Terms = { readonly accepted: AcceptedIssuer; readonly binding: IssuerBinding };

/** @returns how the server takes tokens of the issuer, or issuer_unknown where it takes none. */
export const findBinding = (server: McpServer, issuer: TrustedIssuer): Result<IssuerBinding, Deny> => {
  const binding = server.bindings.find((candidate) => candidate.issuerId === issuer.id);
  return binding === undefined
    ? err(deny('issuer_unknown', { log: { issuer: issuer.id, fault: 'not bound' } }))
    : ok(binding);
};

const matchAudience = (payload: JsonObject, binding: IssuerBinding): string | undefined =>
  binding.audiences.find((audience) => [payload['aud']].flat().includes(audience));

/**
 * Reads verified claims.
 * @returns the credential, or claims_invalid, token_expired, token_not_yet_valid, audience_mismatch,
 * token_binding_refused, and what claims.ts refuses.
 */
export const credentialFromClaims = (
  payload: JsonObject,
  terms: Terms & Pick<VerifiedCredential, 'basis'> & { readonly nowSeconds: number },
): Result<VerifiedCredential, Deny> => {
  const { accepted, binding, basis } = terms;
  const times = parseTokenTimes(payload);
  if (!times.ok) return times;
  const untimely = judgeTokenTimes(times.value, accepted.issuer.clockToleranceSeconds, terms.nowSeconds);
  if (untimely !== undefined) return err(untimely);
  const audience = matchAudience(payload, binding);
  if (audience === undefined) return err(deny('audience_mismatch'));
  const confirmation = parseConfirmation(payload);
  if (!confirmation.ok) return confirmation;
  const identity = identityFromToken({ payload, accepted, audience, times: times.value });
  if (!identity.ok) return identity;
  return ok({
    identity: identity.value,
    notBefore: times.value.notBefore,
    issuer: accepted.issuer,
    binding,
    basis,
    ...(confirmation.value === undefined ? {} : { confirmation: confirmation.value }),
  });
};
