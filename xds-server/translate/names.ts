// Names of Envoy resources. They carry the tenant, so that a refusal by Envoy can be told to whom it belongs.

export const LISTENER_NAME = 'gateway';

/** RouteConfiguration of the documents below /.well-known/, the same for all tenants. */
export const WELL_KNOWN_ROUTES = 'well-known';

export const clusterName = (tenantId: string, serverId: string, version: string): string =>
  `${tenantId}/${serverId}/${version}`;

/** RouteConfiguration of a tenant. */
export const tenantRoutesName = (tenantId: string): string => `tenant/${tenantId}`;
