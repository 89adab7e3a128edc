// Who stands behind a token, as its issuer's dialect tells it: a user or an application alone, from which directory,
// guest or member. One function a kind of issuer, same signature. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { findClaim } from '#core/find-claim.ts';
import type { AgentRole } from '#core/identity.ts';
import type { IssuerKind } from '#core/issuer.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findText } from '#ext-authz/identity/claim-values.ts';
import { readFacets } from '#ext-authz/identity/entra-facets.ts';
import { type AcceptedIssuer, isGuid } from '#ext-authz/identity/issuers.ts';

export type Caller = {
  readonly kind: 'user' | 'app';
  readonly subject: string;
  readonly tid?: string;
  readonly oid?: string;
  readonly app?: string;
  readonly actor?: string;
  readonly agent?: AgentRole;
  readonly guest: boolean;
};

type CallerReader = (
  payload: JsonObject,
  token: { readonly accepted: AcceptedIssuer; readonly scopes: readonly string[] },
) => Result<Caller, Deny>;

const invalid = (claim: string): Result<never, Deny> => err(deny('claims_invalid', { log: { claim } }));

const hasRoles = (payload: JsonObject): boolean => {
  const { roles } = payload;
  return Array.isArray(roles) && roles.length > 0;
};

/**
 * `idtyp` decides where it is there, and an agent that is its own subject is an application. Without either: a token with
 * scopes is a user's; one without is an application's only if something says so (its own object as subject, or app
 * roles). Neither is nobody.
 */
const entraKind = (
  payload: JsonObject,
  { scopes, agent }: { readonly scopes: readonly string[]; readonly agent: AgentRole | undefined },
): 'user' | 'app' | undefined => {
  const { idtyp } = payload;
  if (agent === 'alone') return idtyp === undefined || idtyp === 'app' ? 'app' : undefined;
  if (idtyp !== undefined) return idtyp === 'app' || idtyp === 'user' ? idtyp : undefined;
  if (scopes.length > 0) return 'user';
  return payload['sub'] === payload['oid'] || hasRoles(payload) ? 'app' : undefined;
};

/**
 * Version 1 and 2 have other claims with other meanings under the same names. Which one a token is, its issuer says:
 * `https://login.microsoftonline.com/{tid}/v2.0`, or `https://sts.windows.net/{tid}/`.
 */
const versionOf = ({ iss }: AcceptedIssuer): { readonly ver: string; readonly appClaim: string } =>
  iss.endsWith('/v2.0') ? { ver: '2.0', appClaim: 'azp' } : { ver: '1.0', appClaim: 'appid' };

// `idp` names where a guest signed in; for members it is absent or names their own directory, in the v1 form too.
const isEntraGuest = (payload: JsonObject, tid: string): boolean => {
  const { acct, idp, iss } = payload;
  if (acct === 1 || acct === '1') return true;
  return idp !== undefined && idp !== iss && idp !== `https://sts.windows.net/${tid}/`;
};

/** What the token says of its directory, as far as that is one of those accepted. */
const readDirectory = (
  { tid, oid }: JsonObject,
  { directories }: AcceptedIssuer,
): Result<{ readonly tid: string; readonly oid: string }, Deny> => {
  if (!isGuid(tid)) return invalid('tid');
  if (!directories.includes(tid)) return err(deny('directory_tenant_refused', { log: { tid } }));
  return isGuid(oid) ? ok({ tid, oid }) : invalid('oid');
};

const readEntraCaller: CallerReader = (payload, { accepted, scopes }) => {
  const { ver, appClaim } = versionOf(accepted);
  if (payload['ver'] !== ver) return invalid('ver');
  const directory = readDirectory(payload, accepted);
  if (!directory.ok) return directory;
  const subject = findText(payload, 'sub');
  if (subject === undefined) return invalid('sub');
  const facets = readFacets(payload);
  if (!facets.ok) return invalid(facets.error);
  const { agent } = facets.value;
  const kind = entraKind(payload, { scopes, agent });
  const app = findText(payload, appClaim);
  if (kind === undefined) return invalid('idtyp');
  if (kind === 'app' && app === undefined) return invalid(appClaim);
  const guest = kind === 'user' && (facets.value.guest || isEntraGuest(payload, directory.value.tid));
  const behind = { ...(app === undefined ? {} : { app }), ...(agent === undefined ? {} : { agent }) };
  return ok({ kind, subject, ...directory.value, guest, ...behind });
};

/** `azp` (OpenID Connect), `client_id` (RFC 9068), `cid` (Okta). */
const clientOf = (payload: JsonObject): string | undefined =>
  findText(payload, 'azp') ?? findText(payload, 'client_id') ?? findText(payload, 'cid');

// RFC 9068 §2.2: an application acting for itself is its own subject. Auth0 adds `@clients` and names the grant.
const isOidcApplication = (payload: JsonObject, subject: string, app: string | undefined): boolean =>
  payload['gty'] === 'client-credentials' ||
  payload['idtyp'] === 'app' ||
  (app !== undefined && (subject === app || subject === `${app}@clients`));

/** RFC 8693 §4.1: who acts for the subject. */
const actorOf = (payload: JsonObject): string | undefined => {
  const { act } = payload;
  return isJsonObject(act) ? findText(act, 'sub') : undefined;
};

const readOidcCaller: CallerReader = (payload) => {
  const subject = findText(payload, 'sub');
  if (subject === undefined) return invalid('sub');
  if (findClaim(payload, 'act') !== undefined && actorOf(payload) === undefined) return invalid('act');
  const app = clientOf(payload);
  const actor = actorOf(payload);
  const kind = isOidcApplication(payload, subject, app) ? 'app' : 'user';
  if (kind === 'app' && app === undefined) return invalid('azp');
  return ok({
    kind,
    subject,
    guest: false,
    ...(app === undefined ? {} : { app }),
    ...(actor === undefined ? {} : { actor }),
  });
};

/** The reader for each kind of issuer. */
export const CALLER_READERS: Readonly<Record<IssuerKind, CallerReader>> = {
  entra: readEntraCaller,
  oidc: readOidcCaller,
};
