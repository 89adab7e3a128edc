// Snapshots for tests of xds-server: tenants with servers that lead to given URLs, everything else left empty.

import type { McpServer } from '#core/server.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

/** A gateway with nothing out of the ordinary. */
export const SETTINGS: GatewaySettings = {
  listenAddress: '127.0.0.1',
  port: 8080,
  listenerTls: false,
  streamIdleSeconds: 3600,
  trustedHops: 0,
  accessLogOnStdout: false,
  upstreamCaFile: '/ca.crt',
};

/** Endpoint URLs by version. */
export type Versions = Readonly<Record<string, readonly string[]>>;

export const serverOf = (id: string, versions: Versions): McpServer => ({
  id,
  displayName: id,
  enabled: true,
  allowedHosts: ['127.0.0.1'],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [{ issuerId: 'home', audiences: ['api://x'], requiredScopes: ['use'] }],
  constraints: [],
  refusalStatus: 200,
  maxBodyBytes: 1_048_576,
  activeVersion: Object.keys(versions)[0] ?? '',
  versions: Object.entries(versions).map(([version, endpoints]) => ({
    version,
    endpoints,
    transport: 'streamable-http',
    protocolVersions: ['2025-11-25'],
    tools: [],
  })),
});

export const tenantOf = (id: string, servers: Readonly<Record<string, Versions>>): Tenant => ({
  id,
  displayName: id,
  accessContact: '',
  allowedOrigins: [],
  fourEyes: false,
  revision: 1,
  issuers: [],
  grants: [],
  publishers: [],
  killSwitches: [],
  servers: Object.entries(servers).map(([serverId, versions]) => serverOf(serverId, versions)),
});

/** The tenant with these settings on servers of these ids. */
export const withUpstreams = (
  tenant: Tenant,
  settings: Readonly<Record<string, UpstreamSettings>>,
): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) => {
    const upstream = settings[server.id];
    return upstream === undefined ? server : { ...server, upstream };
  }),
});

export const snapshotOf = (sequence: number, ...tenants: readonly Tenant[]): Snapshot => ({
  sequence,
  tenants: tenants.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
});
