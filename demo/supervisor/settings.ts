// Where everything of the demo lives: ports, directories, the addresses of the services' operations endpoints. Every
// one can be set, so that two checkouts, or a test, run side by side.

import { join } from 'node:path';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import {
  directory,
  facadePublicUrl,
  gatewayPublicUrl,
  localAddress,
  port,
  readConfig,
  runtimeDirectory,
  socketDefault,
} from '#runtime/config.ts';
import { decisionProcesses } from '#runtime/decision-processes.ts';

const readLocalDirectory = (): string =>
  readConfig({ local: directory('MCPGW_LOCAL_DIR', join(process.cwd(), '.local')) }).local;

const readPlaces = (local: string) =>
  readConfig({
    gatewayPort: port('GATEWAY_PORT', '8080'),
    publicUrl: gatewayPublicUrl,
    registryPort: port('REGISTRY_PORT', '8081'),
    envoyAdminPort: port('ENVOY_ADMIN_PORT', '9901'),
    facadeUrl: facadePublicUrl,
    facadePort: port('OAUTH_FACADE_PORT', '8082'),
    providerPort: port('DEMO_IDP_PORT', '9000'),
    trackerPort: port('DEMO_TRACKER_PORT', '9101'),
    reportsPort: port('DEMO_REPORTS_PORT', '9102'),
    runtimeDirectory,
    stateDirectory: directory('MCPGW_STATE_DIR', join(local, 'state')),
    secretsDirectory: directory('SECRETS_DIRECTORY', join(local, 'secrets')),
    registry: localAddress('REGISTRY_OPS_ADDRESS', socketDefault('registry-ops')),
    xdsServer: localAddress('XDS_OPS_ADDRESS', socketDefault('xds-server-ops')),
    decisionProcesses,
    extAuthz: localAddress('EXT_AUTHZ_OPS_ADDRESS', socketDefault('ext-authz-ops')),
    facade: localAddress('OAUTH_FACADE_OPS_ADDRESS', socketDefault('oauth-facade-ops')),
    extProc: localAddress('EXT_PROC_OPS_ADDRESS', socketDefault('ext-proc-ops')),
  });

export type DemoSettings = ReturnType<typeof readPlaces> & {
  /** Holds everything the demo writes; safe to delete while it is stopped. */
  readonly localDirectory: string;
  readonly providerOrigin: string;
  readonly registryUrl: string;
};

/**
 * Reads the environment.
 * @throws GatewayError `config_invalid` naming every fault
 */
export const readDemoSettings = (): DemoSettings => {
  const localDirectory = readLocalDirectory();
  const places = readPlaces(localDirectory);
  return {
    ...places,
    localDirectory,
    providerOrigin: `http://127.0.0.1:${places.providerPort}`,
    registryUrl: `http://127.0.0.1:${places.registryPort}`,
  };
};

/** The same facts as variables, for the programs that are started. */
export const environmentOf = (settings: DemoSettings): Readonly<Record<string, string>> => ({
  GATEWAY_PORT: String(settings.gatewayPort),
  GATEWAY_PUBLIC_URL: settings.publicUrl,
  REGISTRY_PORT: String(settings.registryPort),
  ENVOY_ADMIN_PORT: String(settings.envoyAdminPort),
  ...(settings.facadeUrl === undefined
    ? {}
    : { OAUTH_FACADE_PUBLIC_URL: settings.facadeUrl, OAUTH_FACADE_PORT: String(settings.facadePort) }),
  DEMO_IDP_PORT: String(settings.providerPort),
  DEMO_TRACKER_PORT: String(settings.trackerPort),
  DEMO_REPORTS_PORT: String(settings.reportsPort),
  DECISION_PROCESSES: String(settings.decisionProcesses),
  MCPGW_RUNTIME_DIR: settings.runtimeDirectory,
  MCPGW_STATE_DIR: settings.stateDirectory,
  SECRETS_DIRECTORY: settings.secretsDirectory,
  ADMIN_ISSUER: `${settings.providerOrigin}/${CONTOSO_TID}/v2.0`,
  ADMIN_JWKS_URI: `${settings.providerOrigin}/${CONTOSO_TID}/discovery/v2.0/keys`,
  ADMIN_AUDIENCE: APPLICATION_IDS.registryApi,
  // The demo's servers and its identity provider are on this machine; production keeps the default, false.
  EGRESS_ALLOW_PRIVATE: 'true',
});

/** Every TCP port with its variable. */
export const wantedPorts = (settings: DemoSettings) => [
  { port: settings.gatewayPort, variable: 'GATEWAY_PORT' },
  { port: settings.registryPort, variable: 'REGISTRY_PORT' },
  { port: settings.envoyAdminPort, variable: 'ENVOY_ADMIN_PORT' },
  { port: settings.providerPort, variable: 'DEMO_IDP_PORT' },
  { port: settings.trackerPort, variable: 'DEMO_TRACKER_PORT' },
  { port: settings.reportsPort, variable: 'DEMO_REPORTS_PORT' },
  ...(settings.facadeUrl === undefined ? [] : [{ port: settings.facadePort, variable: 'OAUTH_FACADE_PORT' }]),
];
