// `npm run start:production`: the four services, Envoy and, where it has an address, the sign-in façade
// under one supervisor. `npm run start:<service>`: one of them
// in this process, for a process manager of your own. Nothing of the demo, and nothing that came from it.

import { join } from 'node:path';
import { createFleet } from '#provision/processes/fleet.ts';
import { runInForeground } from '#provision/processes/foreground.ts';
import { watchLogs } from '#provision/processes/log-file.ts';
import { findPortFaults } from '#provision/processes/ports.ts';
import { followOrders, ordersDirectory } from '#provision/processes/replace-orders.ts';
import { buildServiceUnits } from '#provision/processes/service-units.ts';
import { findSocketFault } from '#provision/processes/sockets.ts';
import { findProductionFaults } from '#provision/production-faults.ts';
import {
  directory,
  facadePublicUrl,
  flag,
  gatewayTls,
  inheritedEnvironment,
  localAddress,
  port,
  readConfig,
  runtimeDirectory,
  socketDefault,
  stateDirectory,
  text,
} from '#runtime/config.ts';
import { decisionProcesses } from '#runtime/decision-processes.ts';

const ROOT = join(import.meta.dirname, '..');
const SERVICES = ['registry', 'xds-server', 'ext-authz', 'ext-proc', 'envoy'];
/** Started by its own name, or with the others where OAUTH_FACADE_PUBLIC_URL is set. */
const FACADE = 'oauth-facade';

const JUDGED = {
  adminIssuer: text('ADMIN_ISSUER', ''),
  adminJwksUri: text('ADMIN_JWKS_URI', ''),
  adminAudience: text('ADMIN_AUDIENCE', ''),
  publicUrl: text('GATEWAY_PUBLIC_URL', ''),
  gatewayTls,
  facadeUrl: facadePublicUrl,
  secretsDirectory: directory('SECRETS_DIRECTORY', join(process.cwd(), '.local', 'secrets')),
  stateDirectory,
  demoDebug: flag('DEMO_DEBUG', 'false'),
};

const PLACES = {
  gatewayPort: port('GATEWAY_PORT', '8080'),
  registryPort: port('REGISTRY_PORT', '8081'),
  envoyAdminPort: port('ENVOY_ADMIN_PORT', '9901'),
  runtimeDirectory,
  logsDirectory: directory('MCPGW_LOG_DIR', join(process.cwd(), '.local', 'logs')),
  publishPort: port('PUBLISH_PORT', '0'),
  signalsPort: port('SIGNALS_PORT', '0'),
  facadeUrl: facadePublicUrl,
  facadePort: port('OAUTH_FACADE_PORT', '8082'),
  registry: localAddress('REGISTRY_OPS_ADDRESS', socketDefault('registry-ops')),
  xdsServer: localAddress('XDS_OPS_ADDRESS', socketDefault('xds-server-ops')),
  decisionProcesses,
  extAuthz: localAddress('EXT_AUTHZ_OPS_ADDRESS', socketDefault('ext-authz-ops')),
  facade: localAddress('OAUTH_FACADE_OPS_ADDRESS', socketDefault('oauth-facade-ops')),
  extProc: localAddress('EXT_PROC_OPS_ADDRESS', socketDefault('ext-proc-ops')),
};

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const refuse = (faults: readonly string[]): never => {
  process.stderr.write(`\n  ${faults.join('\n  ')}\n\n`);
  process.exit(1);
};

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const startAll = async (): Promise<void> => {
  const places = readConfig(PLACES);
  const wanted = [
    { port: places.gatewayPort, variable: 'GATEWAY_PORT' },
    { port: places.registryPort, variable: 'REGISTRY_PORT' },
    { port: places.envoyAdminPort, variable: 'ENVOY_ADMIN_PORT' },
    ...(places.publishPort === 0 ? [] : [{ port: places.publishPort, variable: 'PUBLISH_PORT' }]),
    ...(places.signalsPort === 0 ? [] : [{ port: places.signalsPort, variable: 'SIGNALS_PORT' }]),
    ...(places.facadeUrl === undefined ? [] : [{ port: places.facadePort, variable: 'OAUTH_FACADE_PORT' }]),
  ];
  const portFaults = await findPortFaults(wanted, 'npm run start:production');
  const socketFault = await findSocketFault(places.runtimeDirectory);
  const faults = [...portFaults, ...(socketFault === undefined ? [] : [socketFault])];
  if (faults.length > 0) refuse(faults);
  const { registry, xdsServer, extAuthz, extProc } = places;
  const operations = { registry, 'xds-server': xdsServer, 'ext-authz': extAuthz, 'ext-proc': extProc };
  const units = buildServiceUnits(
    { ...places, operations, facade: places.facadeUrl === undefined ? undefined : places.facade },
    {},
  );
  watchLogs(units.map(({ name }) => join(places.logsDirectory, `${name}.log`)));
  const place = {
    root: ROOT,
    environment: inheritedEnvironment(),
    logsDirectory: places.logsDirectory,
    pidsDirectory: join(places.runtimeDirectory, 'pids'),
    holdDirectory: join(places.runtimeDirectory, 'hold'),
    onCrash: (name: string, how: string, waitMs: number) =>
      say(`${name} ended (${how}); starting it again in ${waitMs} ms`),
  };
  const fleet = createFleet(units, place, {
    onReady: (name, _, tookMs) => say(`ok    ${name} ${tookMs} ms`),
  });
  followOrders(ordersDirectory(places.runtimeDirectory), fleet);
  await runInForeground(fleet, () => say(`ready; logs in ${places.logsDirectory}`), {
    onStopping: () => say('stopping'),
    onStopped: () => say('stopped'),
    onFailed: (message) => process.stderr.write(`\n  ${message}\n  logs: ${places.logsDirectory}\n\n`),
  });
};

const main = async (name: string | undefined): Promise<void> => {
  const known = [...SERVICES, FACADE];
  if (name !== undefined && !known.includes(name))
    refuse([`no service ${name}; there are: ${known.join(', ')}`]);
  const judged = readConfig(JUDGED);
  const started = judged.facadeUrl === undefined ? SERVICES : known;
  const faults = findProductionFaults(judged, name === undefined ? started : [name]);
  if (faults.length > 0) refuse(faults);
  if (name === undefined) await startAll();
  else await import(join(ROOT, name, 'main.ts'));
};

await main(process.argv[2]).catch((thrown: unknown) => refuse([messageOf(thrown)]));
