// From a verified payload to the Identity every later step reads. Keyed by what a directory never reassigns; names
// and mail addresses are for screens. Knows no keys and no signatures. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { type Identity, principalKey } from '#core/identity.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { CALLER_READERS, type Caller } from '#ext-authz/identity/caller-kind.ts';
import {
  assuranceOf,
  findDisplayText,
  findText,
  parseScopes,
  parseTextList,
} from '#ext-authz/identity/claim-values.ts';
import type { VerifiedIdentity } from '#ext-authz/identity/credential.ts';
import type { AcceptedIssuer } from '#ext-authz/identity/issuers.ts';
import { shareIdentity } from '#ext-authz/identity/shared-texts.ts';
import type { TokenTimes } from '#ext-authz/identity/token-times.ts';

export type VerifiedToken = {
  readonly payload: JsonObject;
  readonly accepted: AcceptedIssuer;
  /** The `aud` value that matched the binding. */
  readonly audience: string;
  readonly times: TokenTimes;
};

/** Marks of tokens that are not access tokens: ID tokens (OIDC Core §3.1.3.6) and security events (RFC 8417). */
const FOREIGN_CLAIMS = ['at_hash', 'c_hash', 'events'] as const;

const findForeignClaim = (payload: JsonObject): string | undefined =>
  FOREIGN_CLAIMS.find((name) => payload[name] !== undefined);

/** The claim that a name or a JSON Pointer begins at. */
const topmost = (name: string): string => (name.startsWith('/') ? (name.split('/')[1] ?? '') : name);

type Overage = 'none' | 'groups' | 'beyond-help';

/**
 * Entra leaves the groups out past 200 and points to a directory query instead; the address it gives is retired and
 * is not followed. A caller whose groups are unknown is not a caller without groups.
 */
const overageOf = (payload: JsonObject, { claims: names }: TrustedIssuer): Overage => {
  const { _claim_names: elsewhere, hasgroups } = payload;
  const isTold = hasgroups === true || hasgroups === 'true';
  if (elsewhere === undefined) return isTold ? 'groups' : 'none';
  if (!isJsonObject(elsewhere) || Object.hasOwn(elsewhere, topmost(names.roles))) return 'beyond-help';
  const isElsewhere = ['groups', topmost(names.groups)].some((name) => Object.hasOwn(elsewhere, name));
  return isElsewhere || isTold ? 'groups' : 'none';
};

/** True where the directory can be asked for what is missing: a person's groups, of which the token says nothing. */
const canLookUp = (payload: JsonObject, issuer: TrustedIssuer, { kind }: Caller): boolean =>
  issuer.groupLookup !== undefined && kind === 'user' && payload['groups'] === undefined;

type Entitlements = Pick<Identity, 'groups' | 'roles' | 'scopes'>;

const readEntitlements = (
  payload: JsonObject,
  { claims: names }: TrustedIssuer,
): Result<Entitlements, Deny> => {
  const groups = parseTextList(payload, names.groups);
  const roles = parseTextList(payload, names.roles);
  const scopes = parseScopes(payload, names.scopes);
  if (groups.ok && roles.ok && scopes.ok)
    return ok({ groups: groups.value, roles: roles.value, scopes: scopes.value });
  const fault = [groups, roles, scopes].find((list) => !list.ok);
  return err(deny('claims_invalid', { log: { claim: fault?.ok === false ? fault.error : '' } }));
};

const canAnswerChallenges = (payload: JsonObject): boolean => {
  const capabilities = parseTextList(payload, 'xms_cc');
  return capabilities.ok && capabilities.value.some((value) => value.toLowerCase() === 'cp1');
};

const buildIdentity = (token: VerifiedToken, caller: Caller, entitlements: Entitlements): Identity => {
  const { payload, accepted, times } = token;
  const { issuer, iss } = accepted;
  const name = findDisplayText(payload, issuer.claims.name);
  const tokenId = findText(payload, 'uti') ?? findText(payload, 'jti');
  return {
    ...caller,
    ...entitlements,
    principal: principalKey({ issuer: iss, subject: caller.subject, tid: caller.tid, oid: caller.oid }),
    issuerId: issuer.id,
    issuer: iss,
    audience: token.audience,
    relation: issuer.relation,
    guest: caller.guest || issuer.relation === 'partner',
    assurance: assuranceOf(payload),
    claimsChallenges: canAnswerChallenges(payload),
    issuedAt: times.issuedAt,
    expiresAt: times.expiresAt,
    ...(name === undefined ? {} : { name }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
};

/**
 * Reads who is calling.
 * @returns the identity, its groups undefined where the directory has to be asked for them; or claims_invalid,
 * directory_tenant_refused, groups_overage.
 */
export const identityFromToken = (token: VerifiedToken): Result<VerifiedIdentity, Deny> => {
  const { payload, accepted } = token;
  const foreign = findForeignClaim(payload);
  if (foreign !== undefined) return err(deny('claims_invalid', { log: { claim: foreign } }));
  const { issuer } = accepted;
  const overage = overageOf(payload, issuer);
  if (overage === 'beyond-help') return err(deny('groups_overage'));
  const entitlements = readEntitlements(payload, issuer);
  if (!entitlements.ok) return entitlements;
  const caller = CALLER_READERS[issuer.kind](payload, { accepted, scopes: entitlements.value.scopes });
  if (!caller.ok) return caller;
  const identity = shareIdentity(buildIdentity(token, caller.value, entitlements.value));
  if (overage === 'none') return ok(identity);
  return canLookUp(payload, issuer, caller.value)
    ? ok({ ...identity, groups: undefined })
    : err(deny('groups_overage'));
};
