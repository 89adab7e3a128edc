// The endpoint a client wants a token for (RFC 8707): one of this gateway, of this tenant, bound to this issuer, by one of
// the addresses under which its metadata names itself. Pure.

import { endpointUrl, findEndpoint, shortEndpointPath } from '#core/endpoint-path.ts';
import { urlAtHost } from '#core/host-name.ts';
import { findServer } from '#core/tenant.ts';
import type { ScopedEndpoint } from '#core/told-scopes.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';

const serverIdAt = (path: string, tenantId: string, isOwnHost: boolean): string | undefined => {
  const ref = findEndpoint(path);
  if (ref === undefined) return undefined;
  // At a tenant's own host name the short form is the tenant's; everywhere else it is the default tenant's.
  const isShort = path === shortEndpointPath(ref.serverId);
  return (isShort && isOwnHost) || ref.tenantId === tenantId ? ref.serverId : undefined;
};

/** Undefined for every address but one that this tenant's metadata would name as `resource`, to the letter. */
export const findResource = (
  { tenant, issuer }: Pick<Fronted, 'tenant' | 'issuer'>,
  resource: string,
  gatewayUrl: string,
): ScopedEndpoint | undefined => {
  const own = (tenant.hosts?.names ?? []).map((name) => urlAtHost(gatewayUrl, name));
  const root = [gatewayUrl, ...own].find((url) => resource.startsWith(`${url}/`));
  if (root === undefined) return undefined;
  const path = resource.slice(root.length);
  const serverId = serverIdAt(path, tenant.id, root !== gatewayUrl);
  const server = serverId === undefined ? undefined : findServer(tenant, serverId);
  const isBound = server?.bindings.some(({ issuerId }) => issuerId === issuer.id) === true;
  return server !== undefined && isBound && endpointUrl(root, path) === resource
    ? { tenant, server, resource }
    : undefined;
};
