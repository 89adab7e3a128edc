// A tenant's parts as the API sees them: each with a name that is stable, and a form that says when it changed.

import type { McpServer } from '#core/server.ts';
import type { Tenant, TenantSettings } from '#core/tenant.ts';

/**
 * `tenant` for its settings, `issuers/{id}`, `servers/{id}`, `servers/{id}/versions/{version}`, `grants/{id}`,
 * `publishers/{id}`, `kill-switches/{id}`, `admin-issuer`.
 */
export type ResourceName = string;

export const issuerName = (id: string): ResourceName => `issuers/${id}`;
export const serverName = (id: string): ResourceName => `servers/${id}`;
export const grantName = (id: string): ResourceName => `grants/${id}`;
/** The one resource of its kind a tenant may have. */
export const ADMIN_ISSUER_NAME: ResourceName = 'admin-issuer';
export const publisherName = (id: string): ResourceName => `publishers/${id}`;
export const killSwitchName = (id: string): ResourceName => `kill-switches/${id}`;
export const versionName = (serverId: string, version: string): ResourceName =>
  `servers/${serverId}/versions/${version}`;

export const settingsOf = (tenant: Tenant): TenantSettings => {
  const { id: _id, revision: _revision, issuers: _i, servers: _s, grants: _g, ...rest } = tenant;
  const { publishers: _p, killSwitches: _k, adminIssuer: _a, ...settings } = rest;
  return settings;
};

/** A server as it is read: its versions by name, because a list of all their tools is nobody's first question. */
export type ServerView = Omit<McpServer, 'versions'> & { readonly versions: readonly string[] };

export const serverView = (server: McpServer): ServerView => ({
  ...server,
  versions: server.versions.map(({ version }) => version),
});

/** Every resource of a tenant by name. */
export const resourcesOf = (tenant: Tenant): ReadonlyMap<ResourceName, object> =>
  new Map<ResourceName, object>([
    ['tenant', settingsOf(tenant)],
    ...tenant.issuers.map((issuer) => [issuerName(issuer.id), issuer] as const),
    ...tenant.servers.map((server) => [serverName(server.id), serverView(server)] as const),
    ...tenant.servers.flatMap((server) =>
      server.versions.map((version) => [versionName(server.id, version.version), version] as const),
    ),
    ...tenant.grants.map((grant) => [grantName(grant.id), grant] as const),
    ...tenant.publishers.map((publisher) => [publisherName(publisher.id), publisher] as const),
    ...(tenant.adminIssuer === undefined ? [] : [[ADMIN_ISSUER_NAME, tenant.adminIssuer] as const]),
    ...tenant.killSwitches.map((thrown) => [killSwitchName(thrown.id), thrown] as const),
  ]);
