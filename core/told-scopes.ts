// The scopes a client is told to ask for. Entra wants them fully qualified (`https://gw.example/mcp/files/tools.use`): a
// short name is resolved against another resource, at once or at the client's next refresh.

import type { IssuerBinding, McpServer } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';

// RFC 6749 §3.3: visible ASCII without quote and backslash. Anything else would break out of the quoted string.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** A refresh token is the client's affair with its provider: MCP forbids advertising it (2025-11-25, Scopes). */
const NEVER_ADVERTISED = 'offline_access';

const isQualified = (scope: string): boolean => scope.includes('://');

const qualify = (scope: string, resource: string | undefined): string =>
  resource === undefined || isQualified(scope) ? scope : `${resource.replace(/\/$/, '')}/${scope}`;

const clean = (scopes: readonly string[]): readonly string[] =>
  [...new Set(scopes)].filter((scope) => SCOPE_TOKEN.test(scope) && scope !== NEVER_ADVERTISED);

/** An endpoint as the client addressed it. `resource` is the one of its metadata, which clients send along. */
export type ScopedEndpoint = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly resource: string;
};

/**
 * The identifier URI an Entra application is asked for by. Clients send `resource` too, and Entra refuses a sign-in
 * whose scopes are of another URI (AADSTS9010010): the resource itself, unless the binding lists other URIs only.
 */
const identifierUri = ({ audiences }: IssuerBinding, resource: string): string =>
  audiences.includes(resource) ? resource : (audiences.find(isQualified) ?? resource);

const scopesOfBinding = ({ tenant, resource }: ScopedEndpoint, binding: IssuerBinding): readonly string[] => {
  const issuer = findIssuer(tenant, binding.issuerId);
  if (issuer?.enabled !== true) return [];
  const uri = issuer.kind === 'entra' ? identifierUri(binding, resource) : undefined;
  return clean(binding.requiredScopes).map((scope) => qualify(scope, uri));
};

/**
 * What every delegated token for the server needs, over all its enabled issuers.
 * @param issuerId only what tokens of this one need: the caller's, once it is known.
 */
export const advertisedScopes = (endpoint: ScopedEndpoint, issuerId?: string): readonly string[] => {
  const bindings = endpoint.server.bindings.filter(
    (binding) => issuerId === undefined || binding.issuerId === issuerId,
  );
  return clean(bindings.flatMap((binding) => scopesOfBinding(endpoint, binding)));
};

const prefixOf = (scope: string): string | undefined =>
  isQualified(scope) ? scope.slice(0, scope.lastIndexOf('/')) : undefined;

/**
 * Scopes a decision found missing, as the client must ask for them.
 * @param advertised scopes of the server; a short one takes their resource, where they all share one.
 */
export const challengeScopes = (
  required: readonly string[],
  advertised: readonly string[],
): readonly string[] => {
  const prefixes = new Set(clean(advertised).map(prefixOf));
  const [only] = prefixes;
  const qualified = clean(required).map((scope) => qualify(scope, prefixes.size === 1 ? only : undefined));
  return [...new Set(qualified)];
};
