// What a token is bound to (RFC 7800 `cnf`). A binding that is not understood is a refusal: taking such a token as a
// plain one would undo what its issuer did. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { findClaim } from '#core/find-claim.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

/** SHA-256 thumbprints, base64url. */
export type Confirmation =
  /** Of a key (RFC 7638): DPoP, RFC 9449 §6.1. */
  | { readonly kind: 'key'; readonly jkt: string }
  /** Of a client certificate: RFC 8705 §3.1. */
  | { readonly kind: 'certificate'; readonly thumbprint: string };

const SHA256 = /^[\w-]{43}$/;

const invalid = err(deny('claims_invalid', { log: { claim: 'cnf' } }));

/**
 * The binding of a token; undefined for one that anybody may carry.
 * @returns it, claims_invalid where it is no binding at all, or token_binding_refused where it is of another kind (a key
 * in full) or of two kinds.
 */
export const parseConfirmation = (payload: JsonObject): Result<Confirmation | undefined, Deny> => {
  const cnf = findClaim(payload, 'cnf');
  if (cnf === undefined) return ok(undefined);
  if (!isJsonObject(cnf)) return invalid;
  const [[member, value] = [], ...others] = Object.entries(cnf);
  if (member === undefined) return invalid;
  if (others.length > 0 || (member !== 'jkt' && member !== 'x5t#S256'))
    return err(deny('token_binding_refused', { log: { members: Object.keys(cnf).join(' ').slice(0, 100) } }));
  if (typeof value !== 'string' || !SHA256.test(value)) return invalid;
  return ok(member === 'jkt' ? { kind: 'key', jkt: value } : { kind: 'certificate', thumbprint: value });
};
