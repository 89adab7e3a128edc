// The product's own processes over a world of any size: a real registry, xds-server, ext-authz, ext-proc and Envoy, filled
// before they start. For measurements of what one change among many servers costs.

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { createFleet } from '#provision/processes/fleet.ts';
import { buildServiceUnits } from '#provision/processes/service-units.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Address } from '#runtime/address.ts';
import { inheritedEnvironment } from '#runtime/config.ts';
import { auditSecretsIn } from '#test/support/audit-secrets.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { ROOT } from '#test/support/product-process.ts';
import { writeOf } from '#test/support/store-contract.ts';
import {
  createTestKey,
  oidcIssuer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';

export const PROGRAMS = ['registry', 'xds-server', 'ext-authz', 'ext-proc', 'envoy'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** Tenants have at most this many servers each. */
const SERVERS_PER_TENANT = 20;
const TOOLS = 20;
const GROUP = 'engineering';
const ISSUER = 'https://idp.example';
const ADMIN = { issuer: 'https://admins.example', audience: 'registry' };

/** An MCP server that says at which path it was called, in the one member of a list that passes as it is. */
const startUpstream = async () => {
  const server = createServer(async (request, response) => {
    const { id } = (await json(request)) as { id?: string };
    const answer = { jsonrpc: '2.0', id, result: { tools: [], nextCursor: request.url } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** The large tenant's servers at an address that exists, with tokens nobody exchanges. */
const reachable = (server: McpServer, host: string): McpServer => ({
  ...server,
  allowedHosts: [host],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [{ issuerId: 'oidc', audiences: [`api://${server.id}`], requiredScopes: ['tools.use'] }],
  versions: server.versions.map((version) => ({ ...version, endpoints: [`http://${host}/v/1.0.0`] })),
});

const tenantsOf = (servers: number, host: string, jwksUri: string): readonly Tenant[] =>
  Array.from({ length: Math.ceil(servers / SERVERS_PER_TENANT) }, (_, index) => {
    const size = { servers: Math.min(SERVERS_PER_TENANT, servers), tools: TOOLS };
    const tenant = largeTenant(`tenant-${String(index).padStart(2, '0')}`, size);
    return {
      ...tenant,
      issuers: [oidcIssuer(jwksUri, { issuer: ISSUER })],
      servers: tenant.servers.map((server) => reachable(server, host)),
      killSwitches: [],
    };
  });

/** A token issuer, the administrators' and the callers', and an upstream: what every world of one run shares. */
export const startSurroundings = async () => {
  const key = createTestKey('scale');
  const keys = await startKeyServer([publishKey(key)]);
  const upstream = await startUpstream();
  const lifetime = (): object => {
    const seconds = Math.floor(Date.now() / 1_000);
    return { iat: seconds - 10, exp: seconds + 3_600 };
  };
  return {
    jwksUri: keys.url,
    upstreamHost: upstream.host,
    adminToken: () =>
      signWith(key, {
        iss: ADMIN.issuer,
        aud: ADMIN.audience,
        sub: 'ada',
        roles: ['platform-admin'],
        ...lifetime(),
      }),
    callerToken: (serverId: string) =>
      signWith(key, {
        ...{ iss: ISSUER, aud: `api://${serverId}`, sub: 'user-1', azp: 'client-1' },
        ...{ scope: 'tools.use', groups: [GROUP] },
        ...lifetime(),
      }),
    stop: async (): Promise<void> => {
      upstream.stop();
      await keys.stop();
    },
  };
};

export type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;

/** CPU time since its start, milliseconds in steps of ten (/proc), and resident memory, MiB. */
export type Usage = { readonly cpuMs: number; readonly rssMib: number };

export type ScaleWorld = {
  readonly tenants: readonly Tenant[];
  readonly gateway: string;
  readonly registry: string;
  usage(program: ProgramName): Promise<Usage>;
  /** Bytes Envoy has received over ADS. */
  adsBytes(): Promise<number>;
  /** Streams Envoy has opened to ext-proc. */
  guardStreams(): Promise<number>;
  stop(): Promise<void>;
};

const fillRegistry = async (stateDirectory: string, tenants: readonly Tenant[]): Promise<void> => {
  const file = join(stateDirectory, 'registry', 'registry.db');
  const store = openSqliteStore(file, auditSecretsIn(stateDirectory));
  for (const tenant of tenants) await store.write(writeOf(tenant, null));
  await store.close();
};

const MIB = 1024 * 1024;
const PAGE = 4096;
const TICK_MS = 10;

/** proc(5): fields after the name in parentheses, which may hold spaces. */
const usageOf = async (pid: number): Promise<Usage> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8'))
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, resident = 0] = [fields[11], fields[12], fields[21]];
  return { cpuMs: (user + system) * TICK_MS, rssMib: (resident * PAGE) / MIB };
};

/** The Envoy binary is the child of the program that writes its bootstrap. */
const childOf = async (pid: number): Promise<number> =>
  Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0]);

const startFleet = async (directory: string, ports: readonly number[], surroundings: Surroundings) => {
  const [gatewayPort = 0, registryPort = 0, envoyAdminPort = 0] = ports;
  const socket = (name: string): Address => ({ kind: 'unix', path: join(directory, `${name}-ops.sock`) });
  const operations = {
    registry: socket('registry'),
    'xds-server': socket('xds-server'),
    'ext-authz': socket('ext-authz'),
    'ext-proc': socket('ext-proc'),
  };
  const environment = {
    GATEWAY_PORT: String(gatewayPort),
    REGISTRY_PORT: String(registryPort),
    ENVOY_ADMIN_PORT: String(envoyAdminPort),
    ENVOY_CONCURRENCY: '1',
    MCPGW_RUNTIME_DIR: directory,
    MCPGW_STATE_DIR: join(directory, 'state'),
    ADMIN_ISSUER: ADMIN.issuer,
    ADMIN_JWKS_URI: surroundings.jwksUri,
    ADMIN_AUDIENCE: ADMIN.audience,
    EGRESS_ALLOW_PRIVATE: 'true',
  };
  const place = {
    root: ROOT,
    environment: inheritedEnvironment(),
    logsDirectory: join(directory, 'logs'),
    pidsDirectory: join(directory, 'pids'),
    holdDirectory: join(directory, 'hold'),
    onCrash: (name: string, how: string) => console.error(`${name} ended: ${how}`),
  };
  const units = buildServiceUnits(
    { decisionProcesses: 1, operations, gatewayPort, envoyAdminPort },
    environment,
  );
  const fleet = createFleet(units, place, { onReady: () => undefined });
  await fleet.start();
  return fleet;
};

/** @param filter a regular expression; what it finds is summed. */
const envoyStat = async (adminPort: number, filter: string): Promise<number> => {
  const query = new URLSearchParams({ filter });
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?${query}`)).text();
  return text.split('\n').reduce((sum, line) => sum + Number(line.split(':')[1] ?? 0), 0);
};

/** Fills a registry with this many servers of twenty tools, twenty servers a tenant, and starts everything over it. */
export const startScaleWorld = async (servers: number, surroundings: Surroundings): Promise<ScaleWorld> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-'));
  const stateDirectory = join(directory, 'state');
  const tenants = tenantsOf(servers, surroundings.upstreamHost, surroundings.jwksUri);
  await fillRegistry(stateDirectory, tenants);
  const ports = await findFreePorts(3);
  const fleet = await startFleet(directory, ports, surroundings);
  const pidOf = async (name: ProgramName): Promise<number> => {
    const pid = Number(await readFile(join(directory, 'pids', name), 'utf8'));
    return name === 'envoy' ? childOf(pid) : pid;
  };
  return {
    tenants,
    gateway: `http://127.0.0.1:${ports[0]}`,
    registry: `http://127.0.0.1:${ports[1]}`,
    usage: async (program) => usageOf(await pidOf(program)),
    adsBytes: () => envoyStat(ports[2] ?? 0, 'cluster\\.xds-server\\.upstream_cx_rx_bytes_total'),
    guardStreams: () => envoyStat(ports[2] ?? 0, 'ext_proc\\.streams_started'),
    stop: async () => {
      await fleet.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
