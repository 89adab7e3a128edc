// Public paths of the gateway. Tenant and server ids are restricted so that no escaping is ever needed:
// what cannot be written in two ways cannot be read in two ways.

import { DEFAULT_TENANT } from '#core/tenant.ts';

/** Ids of tenants, servers, issuers and grants. */
export const ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';

export type EndpointRef = { readonly tenantId: string; readonly serverId: string };

/** Root of RFC 9728 metadata documents. */
export const METADATA_ROOT = '/.well-known/oauth-protected-resource';

/** The HTTP methods there are at an endpoint (MCP, Streamable HTTP; OPTIONS for browsers), as `Allow` lists them. */
export const ENDPOINT_METHODS = 'GET, POST, DELETE, OPTIONS';

const LONG_FORM = /^\/t\/([a-z0-9][a-z0-9-]{0,62})\/mcp\/([a-z0-9][a-z0-9-]{0,62})$/;
const SHORT_FORM = /^\/mcp\/([a-z0-9][a-z0-9-]{0,62})$/;

/** `/t/{tenant}/mcp/{server}`: the canonical address of an MCP endpoint. */
export const endpointPath = (ref: EndpointRef): string => `/t/${ref.tenantId}/mcp/${ref.serverId}`;

/** What all short addresses begin with. */
export const SHORT_ROOT = '/mcp/';

/** `/mcp/{server}`: the same endpoint of the default tenant, or of the tenant whose host name the client came by. */
export const shortEndpointPath = (serverId: string): string => `${SHORT_ROOT}${serverId}`;

/** The absolute address of the endpoint at `path`: what clients call it, sign for and ask tokens for. */
export const endpointUrl = (publicUrl: string, path: string): string =>
  `${publicUrl.replace(/\/$/, '')}${path}`;

/** The endpoint a path names, or undefined. Query strings belong to no endpoint: the caller cuts them. */
export const findEndpoint = (path: string): EndpointRef | undefined => {
  const long = LONG_FORM.exec(path);
  if (long?.[1] !== undefined && long[2] !== undefined) return { tenantId: long[1], serverId: long[2] };
  const short = SHORT_FORM.exec(path);
  return short?.[1] === undefined ? undefined : { tenantId: DEFAULT_TENANT, serverId: short[1] };
};

/** Where the RFC 9728 document of the endpoint at `path` is found (path insertion, §3.1). */
export const metadataPath = (path: string): string => `${METADATA_ROOT}${path}`;
