// Runs Envoy as a service of ours: writes its bootstrap, starts the binary, drains it on SIGTERM, ends when it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { envoyArguments, type Succession } from '#envoy/arguments.ts';
import {
  type BootstrapConfiguration,
  readBootstrapConfiguration,
  readProcessConfiguration,
} from '#envoy/configuration.ts';
import { drainEnvoy, failHealth } from '#envoy/drain.ts';
import { watchGatewayCertificate } from '#envoy/gateway-certificate.ts';
import { canBeSucceeded, isSucceeded, nextInSuccession, takePlace } from '#envoy/succession.ts';
import { writeBootstrap } from '#envoy/write-bootstrap.ts';
import { isSuccessor, readDrainSettings } from '#runtime/drain-settings.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';

const started = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new GatewayError('config_invalid', `ENVOY_BIN cannot be started: ${cause.message}`)),
    );
  });

const logger = createLogger('envoy', 'info');

const successionOf = (config: BootstrapConfiguration): Promise<Succession | undefined> =>
  config.hotRestart && canBeSucceeded(config.runtimeDirectory)
    ? nextInSuccession(config, isSuccessor())
    : Promise.resolve(undefined);

/** How the process ends: with Envoy, or after it was drained; one that was succeeded is drained by its successor. */
const tieTo = (
  child: ChildProcess,
  lifecycle: Lifecycle,
  {
    config,
    succession,
  }: { readonly config: BootstrapConfiguration; readonly succession: Succession | undefined },
): void => {
  const { adminPort, runtimeDirectory } = config;
  const { limitMs } = readDrainSettings();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const isOver = async (): Promise<boolean> =>
    succession !== undefined && (await isSucceeded(runtimeDirectory, succession));
  let stopping = false;
  void ended.then(async (code) => {
    if (stopping) return;
    if (code === 0 && (await isOver())) {
      logger.info('Envoy has handed over');
      process.exit(0);
    }
    logger.fatal({ code }, 'Envoy ended by itself');
    process.exit(1);
  });
  lifecycle.onDrain('envoy', async () => {
    stopping = true;
    // The admin port is the successor's by then.
    if (!(await isOver())) await failHealth(adminPort);
  });
  lifecycle.onStop('envoy', async () => {
    if (await isOver()) return void (await ended);
    const open = await drainEnvoy(adminPort, limitMs);
    if (open > 0) logger.warn({ open }, 'calls and streams were open beyond DRAIN_SECONDS and are cut');
    child.kill('SIGTERM');
    await ended;
  });
};

runService(logger, async (lifecycle) => {
  const options = readProcessConfiguration();
  const config = readBootstrapConfiguration();
  const drainSeconds = readDrainSettings().limitMs / 1_000;
  const { file: bootstrapFile, certificate } = await writeBootstrap(config);
  if (certificate !== undefined)
    lifecycle.onStop('certificate', watchGatewayCertificate(certificate, logger));
  const succession = await successionOf(config);
  // A bare name is looked up on the PATH, wherever Envoy runs.
  const binary = options.binary.includes('/') ? resolve(options.binary) : options.binary;
  const child = spawn(binary, envoyArguments({ ...options, bootstrapFile, drainSeconds, succession }), {
    stdio: 'inherit',
    // The listener finds its certificate from here (core/gateway-certificate.ts).
    cwd: config.runtimeDirectory,
  });
  const leaving = new AbortController();
  lifecycle.onDrain('succession', () => leaving.abort());
  tieTo(child, lifecycle, { config, succession });
  await started(child);
  logger.info({ nodeId: config.nodeId, bootstrapFile, epoch: succession?.epoch }, 'Envoy started');
  if (succession !== undefined) await takePlace(config, succession, leaving.signal);
});
