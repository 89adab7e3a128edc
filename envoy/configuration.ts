// What Envoy's bootstrap and command line are made of, from the environment.

import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { NodeClaim } from '#envoy/bootstrap.ts';
import { GATEWAY_CLIENT_VARIABLES } from '#envoy/gateway-authorities.ts';
import { GATEWAY_TLS_VARIABLES } from '#envoy/gateway-certificate.ts';
import { PUBLISH_VARIABLES } from '#envoy/publish-door.ts';
import type { Address } from '#runtime/address.ts';
import {
  choice,
  type Environment,
  flag,
  integer,
  list,
  port,
  readConfig,
  runtimeDirectory,
  socketDefault,
  text,
} from '#runtime/config.ts';
import { decisionProcesses, decisionProcessNames } from '#runtime/decision-processes.ts';
import { dialledAddress } from '#runtime/tls/tls-address.ts';

const VARIABLES = {
  maxConnections: integer(1, 1_000_000)('ENVOY_MAX_CONNECTIONS', '10000'),
  maxHeapMb: integer(0, 1_048_576)('ENVOY_MAX_HEAP_MB', '0'),
  nodeId: text('ENVOY_NODE_ID', hostname()),
  group: choice('edge', 'sidecar')('ENVOY_NODE_GROUP', 'edge'),
  servers: list('ENVOY_NODE_SERVERS', ','),
  region: text('ENVOY_REGION', ''),
  clustersOnDemand: flag('ENVOY_CLUSTERS_ON_DEMAND', 'false'),
  zone: text('ENVOY_ZONE', ''),
  hotRestart: flag('ENVOY_HOT_RESTART', 'true'),
  adminPort: port('ENVOY_ADMIN_PORT', '9901'),
  runtimeDirectory,
  xdsServer: dialledAddress('XDS_ADDRESS', socketDefault('xds-server')),
  extAuthz: dialledAddress('EXT_AUTHZ_ADDRESS', socketDefault('ext-authz')),
  decisionProcesses,
  extProc: dialledAddress('EXT_PROC_ADDRESS', socketDefault('ext-proc')),
  rateLimit: dialledAddress('RATE_LIMIT_ADDRESS', socketDefault('rate-limit')),
  ...GATEWAY_TLS_VARIABLES,
  ...GATEWAY_CLIENT_VARIABLES,
  ...PUBLISH_VARIABLES,
};

const PROCESS_VARIABLES = {
  binary: text('ENVOY_BIN'),
  logLevel: choice(
    'trace',
    'debug',
    'info',
    'warning',
    'error',
    'critical',
    'off',
  )('ENVOY_LOG_LEVEL', 'warning'),
  concurrency: integer(0, 256)('ENVOY_CONCURRENCY', '0'),
};

export type BootstrapConfiguration = ReturnType<typeof readBootstrapConfiguration>;

/** @throws GatewayError `config_invalid` naming every fault. */
export const readBootstrapConfiguration = (environment?: Environment) => readConfig(VARIABLES, environment);

/** @throws GatewayError `config_invalid` naming every fault. */
export const readProcessConfiguration = () => readConfig(PROCESS_VARIABLES);

/** Three quarters of what the machine or its container has; the rest is for Envoy's code, buffers of the kernel, and us. */
export const maxHeapBytes = ({ maxHeapMb }: Pick<BootstrapConfiguration, 'maxHeapMb'>): number => {
  if (maxHeapMb > 0) return maxHeapMb * 1024 * 1024;
  return Math.floor(0.75 * Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY));
};

/**
 * What the node says of itself. xds-server judges it; only what can be right nowhere is refused here.
 * @throws GatewayError `config_invalid`.
 */
export const nodeClaim = ({
  group,
  servers,
  region,
  clustersOnDemand,
}: Pick<BootstrapConfiguration, 'group' | 'servers' | 'region' | 'clustersOnDemand'>): NodeClaim => {
  if ((group === 'sidecar') !== servers.length > 0)
    throw new GatewayError(
      'config_invalid',
      'ENVOY_NODE_SERVERS names the servers of a sidecar, as in acme/tracker, and of nothing else',
    );
  return { group: group === 'sidecar' ? 'sidecar' : 'edge', servers, region, clustersOnDemand };
};

/**
 * The sockets of all ext-authz but the first.
 * @throws GatewayError `config_invalid`: where the first one has an address of its own, nobody knows those of the others.
 */
export const besideExtAuthz = ({
  decisionProcesses: count,
  extAuthz,
  runtimeDirectory: directory,
}: Pick<
  BootstrapConfiguration,
  'decisionProcesses' | 'extAuthz' | 'runtimeDirectory'
>): readonly Address[] => {
  const [first = '', ...beside] = decisionProcessNames(count).map((name) => join(directory, `${name}.sock`));
  if (beside.length > 0 && (extAuthz.kind !== 'unix' || extAuthz.path !== first))
    throw new GatewayError(
      'config_invalid',
      'DECISION_PROCESSES above 1 is for Unix sockets in MCPGW_RUNTIME_DIR: unset EXT_AUTHZ_ADDRESS',
    );
  return beside.map((path) => ({ kind: 'unix', path }));
};
