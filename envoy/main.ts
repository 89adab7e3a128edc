// Runs Envoy as a service of ours: writes its bootstrap, starts the binary, drains it on SIGTERM, ends when it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { envoyArguments } from '#envoy/arguments.ts';
import { buildBootstrap } from '#envoy/bootstrap.ts';
import { drainEnvoy } from '#envoy/drain.ts';
import {
  GATEWAY_TLS_VARIABLES,
  readGatewayCertificate,
  watchGatewayCertificate,
  writeGatewayCertificate,
} from '#envoy/gateway-certificate.ts';
import { PUBLISH_VARIABLES, readPublishListener, writePublishSecrets } from '#envoy/publish-door.ts';
import { writeInternalSecrets } from '#envoy/write-internal-secrets.ts';
import { choice, integer, port, readConfig, runtimeDirectory, socketDefault, text } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { readTlsFileVariables } from '#runtime/tls/internal-tls.ts';
import { dialledAddress } from '#runtime/tls/tls-address.ts';

const VARIABLES = {
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
  maxConnections: integer(1, 1_000_000)('ENVOY_MAX_CONNECTIONS', '10000'),
  maxHeapMb: integer(0, 1_048_576)('ENVOY_MAX_HEAP_MB', '0'),
  nodeId: text('ENVOY_NODE_ID', hostname()),
  zone: text('ENVOY_ZONE', ''),
  adminPort: port('ENVOY_ADMIN_PORT', '9901'),
  runtimeDirectory,
  xdsServer: dialledAddress('XDS_ADDRESS', socketDefault('xds-server')),
  extAuthz: dialledAddress('EXT_AUTHZ_ADDRESS', socketDefault('ext-authz')),
  extProc: dialledAddress('EXT_PROC_ADDRESS', socketDefault('ext-proc')),
  rateLimit: dialledAddress('RATE_LIMIT_ADDRESS', socketDefault('rate-limit')),
  ...GATEWAY_TLS_VARIABLES,
  ...PUBLISH_VARIABLES,
};

const readVariables = () => readConfig(VARIABLES);

type Configuration = ReturnType<typeof readVariables>;

/** Three quarters of what the machine or its container has; the rest is for Envoy's code, buffers of the kernel, and us. */
const maxHeapBytes = ({ maxHeapMb }: Configuration): number => {
  if (maxHeapMb > 0) return maxHeapMb * 1024 * 1024;
  return Math.floor(0.75 * Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY));
};

const writeBootstrap = async (config: Configuration): Promise<string> => {
  const { nodeId, adminPort, maxConnections, xdsServer, extAuthz, extProc, rateLimit } = config;
  const services = { xdsServer, extAuthz, extProc, rateLimit };
  const file = join(config.runtimeDirectory, 'envoy-bootstrap.json');
  await mkdir(config.runtimeDirectory, { recursive: true, mode: 0o700 });
  const listener = readPublishListener(config);
  const publish = listener === undefined ? {} : { publish: await writePublishSecrets(config, listener) };
  const tlsFiles = readTlsFileVariables();
  const internal =
    tlsFiles === undefined
      ? {}
      : { secretFiles: await writeInternalSecrets(config.runtimeDirectory, tlsFiles) };
  const limits = { maxConnections, maxHeapBytes: maxHeapBytes(config) };
  const zone = config.zone === '' ? {} : { zone: config.zone };
  const options = { nodeId, adminPort, ...limits, ...zone, services, ...internal, ...publish };
  const bootstrap = buildBootstrap(options);
  await writeFile(file, `${JSON.stringify(bootstrap, null, 2)}\n`, { mode: 0o600 });
  return file;
};

const started = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new GatewayError('config_invalid', `ENVOY_BIN cannot be started: ${cause.message}`)),
    );
  });

const logger = createLogger('envoy', 'info');

runService(logger, async (lifecycle) => {
  const config = readVariables();
  const bootstrapFile = await writeBootstrap(config);
  const certificate = readGatewayCertificate(config);
  if (certificate !== undefined) {
    await writeGatewayCertificate(config.runtimeDirectory, certificate);
    lifecycle.onStop('certificate', watchGatewayCertificate(certificate, logger));
  }
  // A bare name is looked up on the PATH, wherever Envoy runs.
  const binary = config.binary.includes('/') ? resolve(config.binary) : config.binary;
  const child = spawn(binary, envoyArguments({ ...config, bootstrapFile }), {
    stdio: 'inherit',
    // The listener finds its certificate from here (core/gateway-certificate.ts).
    cwd: config.runtimeDirectory,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await started(child);
  let stopping = false;
  void ended.then((code) => {
    if (stopping) return;
    logger.fatal({ code }, 'Envoy ended by itself');
    process.exit(1);
  });
  lifecycle.onStop('envoy', async () => {
    stopping = true;
    await drainEnvoy(config.adminPort);
    child.kill('SIGTERM');
    await ended;
  });
  logger.info({ nodeId: config.nodeId, bootstrapFile }, 'Envoy started');
});
