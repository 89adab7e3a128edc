// The RFC 9728 document that leads a client from an MCP endpoint to its identity providers. Public by design: it holds
// nothing that a challenge would not tell. URLs come from configuration only, never from the request.

import type { Answer } from '#core/decision.ts';
import { DPOP_ALGORITHMS } from '#core/dpop.ts';
import { endpointUrl, metadataPath } from '#core/endpoint-path.ts';
import { facadeIssuerUrl } from '#core/facade-path.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpServer } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import { advertisedScopes } from '#core/told-scopes.ts';
import { dpopOffer } from '#ext-authz/response/dpop-offer.ts';

/** An endpoint in the form the client addressed it; `path` is repeated as it is (RFC 9728 §3.3). */
export type MetadataSubject = { readonly tenant: Tenant; readonly server: McpServer; readonly path: string };

export type GatewayUrls = {
  readonly publicUrl: string;
  /** Of the sign-in façade; absent: no issuer has one in force. */
  readonly facadeUrl?: string | undefined;
};

const CACHE_SECONDS = 60;

const OPEN_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'mcp-protocol-version',
} as const;

/** Where the document of the endpoint at `path` is found, absolute. */
export const resourceMetadataUrl = (publicUrl: string, path: string): string =>
  endpointUrl(publicUrl, metadataPath(path));

const ENTRA_TOKEN_PATH = '/oauth2/v2.0/token';

/** Entra signs tokens of version 1 as an issuer at which nobody can sign in: that is at the one of version 2. */
const signInAt = ({ kind, issuer, tokenEndpoint = '' }: TrustedIssuer): string =>
  kind === 'entra' && !issuer.endsWith('/v2.0') && tokenEndpoint.endsWith(ENTRA_TOKEN_PATH)
    ? `${tokenEndpoint.slice(0, -ENTRA_TOKEN_PATH.length)}/v2.0`
    : issuer;

// Clients compare an issuer with its own metadata, where the placeholder of Entra's multi-tenant endpoint never
// matches: each directory's concrete issuer is named instead.
const serversOf = (
  { tenant }: MetadataSubject,
  issuer: TrustedIssuer,
  facadeUrl: string | undefined,
): readonly string[] => {
  if (facadeUrl !== undefined && issuer.facade !== undefined)
    return [facadeIssuerUrl(facadeUrl, { tenantId: tenant.id, issuerId: issuer.id })];
  const server = signInAt(issuer);
  return server.includes('{tenantid}')
    ? issuer.directoryTenants.map((tid) => server.replaceAll('{tenantid}', tid))
    : [server];
};

/** Home issuers first: clients take the first one they can use. */
const authorizationServers = (subject: MetadataSubject, facadeUrl: string | undefined): readonly string[] => {
  const { tenant, server } = subject;
  const issuers = server.bindings
    .map((binding) => findIssuer(tenant, binding.issuerId))
    .filter((issuer) => issuer !== undefined)
    .filter((issuer) => issuer.enabled);
  const ordered = issuers.toSorted(
    (a, b) => Number(a.relation === 'partner') - Number(b.relation === 'partner'),
  );
  return [...new Set(ordered.flatMap((issuer) => serversOf(subject, issuer, facadeUrl)))];
};

const buildDocument = (
  subject: MetadataSubject,
  { publicUrl, facadeUrl }: GatewayUrls,
): JsonObject | undefined => {
  const servers = authorizationServers(subject, facadeUrl);
  if (servers.length === 0) return undefined;
  const resource = endpointUrl(publicUrl, subject.path);
  const scopes = advertisedScopes({ ...subject, resource });
  const dpop = dpopOffer(subject.tenant, subject.server);
  return {
    resource,
    authorization_servers: servers,
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(dpop === undefined ? {} : { dpop_signing_alg_values_supported: DPOP_ALGORITHMS }),
    ...(dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
    resource_name: subject.server.displayName,
  };
};

const answer = (status: number, body: JsonObject | undefined, headers: Answer['headers'] = {}): Answer => ({
  kind: 'answer',
  status,
  headers: {
    ...OPEN_HEADERS,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'cache-control': status === 200 ? `public, max-age=${CACHE_SECONDS}` : 'no-store',
    ...headers,
  },
  body: body === undefined ? '' : JSON.stringify(body),
});

/**
 * Answers a request for metadata, which needs no credential.
 * @param known.subject undefined if the path names no endpoint; the answer is then a 404, which makes clients go on
 * to the next place, as a 5xx would not.
 */
export const answerMetadata = (
  method: string,
  known: GatewayUrls & { readonly subject: MetadataSubject | undefined },
): Answer => {
  if (method === 'OPTIONS') return answer(204, undefined, { 'access-control-max-age': '600' });
  if (method !== 'GET' && method !== 'HEAD')
    return answer(405, { error: 'method_not_allowed' }, { allow: 'GET, HEAD, OPTIONS' });
  const document = known.subject === undefined ? undefined : buildDocument(known.subject, known);
  return document === undefined ? answer(404, { error: 'not_found' }) : answer(200, document);
};
