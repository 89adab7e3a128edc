// Runs Envoy as a service of ours: writes its bootstrap, starts the binary, drains it on SIGTERM, ends when it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { envoyArguments } from '#envoy/arguments.ts';
import { readBootstrapConfiguration, readProcessConfiguration } from '#envoy/configuration.ts';
import { drainEnvoy } from '#envoy/drain.ts';
import { watchGatewayCertificate } from '#envoy/gateway-certificate.ts';
import { writeBootstrap } from '#envoy/write-bootstrap.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';

const started = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new GatewayError('config_invalid', `ENVOY_BIN cannot be started: ${cause.message}`)),
    );
  });

const logger = createLogger('envoy', 'info');

runService(logger, async (lifecycle) => {
  const options = readProcessConfiguration();
  const config = readBootstrapConfiguration();
  const { file: bootstrapFile, certificate } = await writeBootstrap(config);
  if (certificate !== undefined)
    lifecycle.onStop('certificate', watchGatewayCertificate(certificate, logger));
  // A bare name is looked up on the PATH, wherever Envoy runs.
  const binary = options.binary.includes('/') ? resolve(options.binary) : options.binary;
  const child = spawn(binary, envoyArguments({ ...options, bootstrapFile }), {
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
