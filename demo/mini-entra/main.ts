// Starts the demo's identity provider. Wiring only.

import { GatewayError } from '#core/gateway-error.ts';
import { APPLICATIONS, DIRECTORIES, withEndpoints } from '#demo/directory.ts';
import { createMiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { gatewayPublicUrl, logLevel, port, readConfig, stateDirectory } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';

const config = readConfig({
  port: port('DEMO_IDP_PORT', '9000'),
  stateDirectory,
  logLevel,
  gatewayUrl: gatewayPublicUrl,
});
const logger = createLogger('mini-entra', config.logLevel);

const isPortTaken = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';

runService(logger, async (lifecycle) => {
  try {
    const provider = await createMiniEntra({
      directories: DIRECTORIES,
      applications: withEndpoints(APPLICATIONS, config.gatewayUrl),
      port: config.port,
      stateDirectory: config.stateDirectory,
    });
    lifecycle.onStop('http', () => provider.close());
    logger.info({ origin: provider.origin }, 'ready');
  } catch (thrown) {
    if (!isPortTaken(thrown)) throw thrown;
    throw new GatewayError('config_invalid', `port ${config.port} (DEMO_IDP_PORT) is taken`);
  }
});
