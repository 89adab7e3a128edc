// Which token a call needs: decided from the server's mode, the caller's kind and the binding that accepted the
// caller's token. Pure; asks nobody.

import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer, OboApplication } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';

export type ExchangeKind = 'obo' | 'client-credentials';

export type ExchangePlan = {
  readonly kind: ExchangeKind;
  readonly application: OboApplication;
  readonly tokenEndpoint: string;
  readonly directory: string;
  readonly scopes: readonly string[];
};

/** A directory tenant id goes into a URL: nothing but a GUID does. */
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const misconfigured = (log: JsonObject): Result<never, Deny> => err(deny('exchange_misconfigured', { log }));

const chooseKind = (server: McpServer, identity: Identity): Result<ExchangeKind, Deny> => {
  const { mode, appOnly } = server.upstreamAuth;
  if (mode === 'client-credentials' || identity.kind === 'user') {
    return ok(mode === 'obo' ? 'obo' : 'client-credentials');
  }
  return appOnly === 'client-credentials' ? ok('client-credentials') : err(deny('app_only_refused'));
};

/** The application of the binding that accepted the token: Entra exchanges an assertion for its own audience only. */
const findApplication = (server: McpServer, identity: Identity): OboApplication | undefined =>
  server.bindings.find(
    (binding) => binding.issuerId === identity.issuerId && binding.audiences.includes(identity.audience),
  )?.oboApplication;

/**
 * The exchange a call needs; null where the server takes no token.
 * @returns `app_only_refused`, or `exchange_misconfigured` with what is missing for the log.
 */
export const planExchange = (call: {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly identity: Identity;
}): Result<ExchangePlan | null, Deny> => {
  const { tenant, server, identity } = call;
  const { mode, scopes } = server.upstreamAuth;
  if (mode === 'none') return ok(null);
  const kind = chooseKind(server, identity);
  if (!kind.ok) return kind;
  if (scopes.length === 0) return misconfigured({ missing: 'downstream scopes' });
  const application = findApplication(server, identity);
  if (application === undefined) return misconfigured({ missing: 'application of the binding' });
  const issuer = findIssuer(tenant, identity.issuerId);
  if (issuer?.tokenEndpoint === undefined || issuer.kind !== 'entra') {
    return misconfigured({ missing: 'token endpoint of an Entra issuer', issuerId: identity.issuerId });
  }
  const directory = identity.tid ?? '';
  if (!GUID.test(directory)) return misconfigured({ missing: 'directory tenant of the caller' });
  const tokenEndpoint = issuer.tokenEndpoint.replaceAll('{tenantid}', directory);
  return ok({ kind: kind.value, application, tokenEndpoint, directory, scopes });
};
