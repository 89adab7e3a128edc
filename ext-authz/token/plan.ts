// Which token a call needs: decided from the server's mode, the caller's kind and the binding that accepted the
// caller's token. Pure; asks nobody.

import { type ClientApplication, type ClientCredential, credentialOf } from '#core/client-credential.ts';
import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { type TrustedIssuer, USUAL_TOKEN_REQUESTS } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer, UpstreamAuth } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import type { ExchangeKind, ExchangePlan, StaticPlan } from '#ext-authz/token/exchange-plan.ts';

type Call = { readonly tenant: Tenant; readonly server: McpServer; readonly identity: Identity };

/** A directory tenant id goes into a URL: nothing but a GUID does. */
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const misconfigured = (log: JsonObject): Result<never, Deny> => err(deny('exchange_misconfigured', { log }));

const chooseKind = (
  { mode, appOnly }: UpstreamAuth & { readonly mode: ExchangeKind },
  identity: Identity,
): Result<ExchangeKind, Deny> => {
  if (mode === 'client-credentials' || identity.kind === 'user') return ok(mode);
  return appOnly === 'client-credentials' ? ok('client-credentials') : err(deny('app_only_refused'));
};

/** The application of the binding that accepted the token: a provider exchanges a token for its own audience only. */
const findApplication = ({ server, identity }: Call): ClientApplication | undefined =>
  server.bindings.find(
    (binding) => binding.issuerId === identity.issuerId && binding.audiences.includes(identity.audience),
  )?.oboApplication;

/** What is asked for, in the words of the provider. Every server has one resource, and no token is for another. */
type Target = Pick<
  ExchangePlan,
  'resource' | 'requestedTokenType' | 'expectedAudience' | 'assertionAudience'
>;

/** At Entra the scopes name the resource, by an id that is not the token's `aud`. */
const entraTarget = ({ tokenAudience }: UpstreamAuth): Target =>
  tokenAudience === undefined ? {} : { expectedAudience: tokenAudience };

const oidcTarget = ({ resource, tokenAudience }: UpstreamAuth, issuer: TrustedIssuer): Target => {
  const { nameResourceBy, requestedTokenType, assertionAudience } =
    issuer.tokenRequests ?? USUAL_TOKEN_REQUESTS;
  const expectedAudience = tokenAudience ?? resource;
  return {
    ...(resource === undefined ? {} : { resource: { name: resource, sentAs: nameResourceBy } }),
    ...(requestedTokenType === undefined ? {} : { requestedTokenType }),
    ...(expectedAudience === undefined ? {} : { expectedAudience }),
    ...(assertionAudience === 'issuer' ? { assertionAudience: issuer.issuer } : {}),
  };
};

type Endpoint = Target & Pick<ExchangePlan, 'tokenEndpoint' | 'directory'>;

const entraEndpoint = (tokenEndpoint: string, { server, identity }: Call): Result<Endpoint, Deny> => {
  const directory = identity.tid ?? '';
  if (!GUID.test(directory)) return misconfigured({ missing: 'directory tenant of the caller' });
  if (server.upstreamAuth.scopes.length === 0) return misconfigured({ missing: 'downstream scopes' });
  const concrete = tokenEndpoint.replaceAll('{tenantid}', directory);
  return ok({ tokenEndpoint: concrete, directory, ...entraTarget(server.upstreamAuth) });
};

/** Kinds of exchange that an issuer of a kind knows. */
const KNOWN_TO: Readonly<Record<TrustedIssuer['kind'], readonly ExchangeKind[]>> = {
  entra: ['obo', 'client-credentials'],
  oidc: ['token-exchange', 'client-credentials'],
};

/** The caller's own provider, never another: a partner's users are known to the partner alone. */
const findEndpoint = (kind: ExchangeKind, call: Call): Result<Endpoint, Deny> => {
  const { tenant, server, identity } = call;
  const { issuerId } = identity;
  const issuer = findIssuer(tenant, issuerId);
  if (issuer?.tokenEndpoint === undefined) return misconfigured({ missing: 'token endpoint', issuerId });
  if (!KNOWN_TO[issuer.kind].includes(kind))
    return misconfigured({ missing: `an issuer that knows ${kind}`, issuerId });
  if (issuer.kind === 'entra') return entraEndpoint(issuer.tokenEndpoint, call);
  const target = oidcTarget(server.upstreamAuth, issuer);
  if (target.resource === undefined && (kind === 'token-exchange' || server.upstreamAuth.scopes.length === 0))
    return misconfigured({ missing: 'resource of the server' });
  return ok({ tokenEndpoint: issuer.tokenEndpoint, ...target });
};

type Exchanging = UpstreamAuth & { readonly mode: ExchangeKind };

const planAt = (call: Call, auth: Exchanging): Result<ExchangePlan, Deny> => {
  const kind = chooseKind(auth, call.identity);
  if (!kind.ok) return kind;
  const application = findApplication(call);
  const credential: ClientCredential | undefined = credentialOf(application ?? {});
  if (application === undefined || credential === undefined)
    return misconfigured({ missing: 'application of the binding' });
  const endpoint = findEndpoint(kind.value, call);
  if (!endpoint.ok) return endpoint;
  return ok({
    kind: kind.value,
    application: { clientId: application.clientId, credential },
    scopes: auth.scopes,
    ...endpoint.value,
    ...(kind.value === 'token-exchange' && auth.actor !== undefined ? { actor: auth.actor } : {}),
  });
};

/**
 * The token a call needs; null where the server takes none.
 * @returns `app_only_refused`, or `exchange_misconfigured` with what is missing for the log.
 */
export const planToken = (call: Call): Result<ExchangePlan | StaticPlan | null, Deny> => {
  const { mode, secret, ...auth } = call.server.upstreamAuth;
  switch (mode) {
    case 'none':
      return ok(null);
    case 'static':
      return secret === undefined
        ? misconfigured({ missing: 'secret of the server' })
        : ok({ kind: 'static', secretName: secret.name, ...(secret.header && { header: secret.header }) });
    case 'obo':
    case 'token-exchange':
    case 'client-credentials':
      return planAt(call, { ...auth, mode });
  }
};
