// Names of Envoy resources. They carry the tenant, so that a refusal by Envoy can be told to whom it belongs.

export const LISTENER_NAME = 'gateway';

/** RouteConfiguration of the documents below /.well-known/, the same for all tenants. */
export const WELL_KNOWN_ROUTES = 'well-known';

/** RouteConfiguration of short addresses that lead somewhere by a tenant's own host name only, the same for all tenants. */
export const HOSTED_ROUTES = 'hosted';

/** Also the name in Envoy's statistics: `cluster.mcp.{tenant}.{server}.{version}`. Ids hold no dots, so it can be taken apart. */
export const clusterName = (tenantId: string, serverId: string, version: string): string =>
  `mcp.${tenantId}.${serverId}.${version}`;

const SHORT_SCOPE = 'short/';

/** Scope of the short address of servers of this id: of the default tenant's, where it has one. */
export const shortScopeName = (serverId: string): string => `${SHORT_SCOPE}${serverId}`;

/** The id of the server a scope is of; undefined for one of a whole tenant. */
export const serverOfScope = (name: string): string | undefined =>
  name.startsWith(SHORT_SCOPE) ? name.slice(SHORT_SCOPE.length) : undefined;

/** RouteConfiguration of a tenant. */
export const tenantRoutesName = (tenantId: string): string => `tenant/${tenantId}`;

export type ClusterOwner = { readonly tenantId: string; readonly serverId: string; readonly version: string };

/** Whose cluster it is; undefined for a name that is none of ours. A version may hold dots. */
export const ownerOfCluster = (name: string): ClusterOwner | undefined => {
  const [prefix, tenantId, serverId, ...rest] = name.split('.');
  const version = rest.join('.');
  if (prefix !== 'mcp' || !tenantId || !serverId || version === '') return undefined;
  return { tenantId, serverId, version };
};
