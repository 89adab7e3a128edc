// Which RouteConfiguration a request sees, by the first two elements of its path. One tenant's routes are one
// resource: a change re-sends that tenant's only, and a bad one holds back nobody else.

import { METADATA_ROOT } from '#core/endpoint-path.ts';
import type { JsonObject } from '#core/json.ts';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import {
  HOSTED_ROUTES,
  shortScopeName,
  tenantRoutesName,
  WELL_KNOWN_ROUTES,
} from '#xds-server/translate/names.ts';

// ":path" begins with the separator, so element 0 is empty. It includes the query: a short path with one finds no scope.
const pathElement = (index: number): JsonObject => ({
  header_value_extractor: { name: ':path', element_separator: '/', index },
});

/** How the listener makes the key of a request. */
export const SCOPE_KEY_BUILDER: JsonObject = { fragments: [pathElement(1), pathElement(2)] };

const scope = (name: string, key: readonly string[], routes: string): TypedMessage =>
  typedMessage('envoy.config.route.v3.ScopedRouteConfiguration', {
    name,
    route_configuration_name: routes,
    key: { fragments: key.map((string_key) => ({ string_key })) },
  });

/** The scope of everything below `/t/{tenant}`. */
export const buildTenantScope = (tenantId: string): TypedMessage =>
  scope(tenantRoutesName(tenantId), ['t', tenantId], tenantRoutesName(tenantId));

/** Scopes of one server: for the default tenant that of its short form `/mcp/{server}`. */
export const buildServerScopes = (tenantId: string, serverId: string): TypedMessage[] =>
  tenantId === DEFAULT_TENANT
    ? [scope(shortScopeName(serverId), ['mcp', serverId], tenantRoutesName(tenantId))]
    : [];

/** The scope of a short address that has a meaning by tenants' own host names only. */
export const buildHostedScope = (serverId: string): TypedMessage =>
  scope(shortScopeName(serverId), ['mcp', serverId], HOSTED_ROUTES);

/** The scope of the documents below /.well-known/. */
export const buildWellKnownScope = (): TypedMessage =>
  scope(WELL_KNOWN_ROUTES, METADATA_ROOT.split('/').slice(1), WELL_KNOWN_ROUTES);
