// The scopes a client is told to ask for. Entra wants them fully qualified (`api://app/tools.use`): a short
// name fails at the client's next refresh, when it is resolved against another resource.

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

/** A binding's scopes; those of an Entra application by its URI, if it lists one: a bare GUID cannot qualify a scope. */
const scopesOfBinding = (tenant: Tenant, binding: IssuerBinding): readonly string[] => {
  const issuer = findIssuer(tenant, binding.issuerId);
  if (issuer?.enabled !== true) return [];
  const resource = issuer.kind === 'entra' ? binding.audiences.find(isQualified) : undefined;
  return clean(binding.requiredScopes).map((scope) => qualify(scope, resource));
};

/** What every delegated token for the server needs, over all its enabled issuers. */
export const advertisedScopes = (tenant: Tenant, server: McpServer): readonly string[] =>
  clean(server.bindings.flatMap((binding) => scopesOfBinding(tenant, binding)));

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
  return clean(required).map((scope) => qualify(scope, prefixes.size === 1 ? only : undefined));
};
