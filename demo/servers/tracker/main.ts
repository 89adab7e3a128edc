// Starts the tracker from the environment.

import { APPLICATION_IDS, DIRECTORIES } from '#demo/directory.ts';
import { createDemoTokenCheck } from '#demo/servers/token-check.ts';
import { startTracker } from '#demo/servers/tracker/server.ts';
import { flag, logLevel, port, readConfig } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';

const config = readConfig({
  logLevel,
  port: port('DEMO_TRACKER_PORT', '9101'),
  providerPort: port('DEMO_IDP_PORT', '9000'),
  debug: flag('DEMO_DEBUG', 'false'),
});
const logger = createLogger('tracker', config.logLevel);

runService(logger, async (lifecycle) => {
  const checkToken = createDemoTokenCheck({
    providerPort: config.providerPort,
    directories: DIRECTORIES.map((directory) => directory.tid),
    audience: APPLICATION_IDS.trackerApi,
  });
  const server = await startTracker({ port: config.port, checkToken, debug: config.debug });
  lifecycle.onStop('http', server.stop);
  logger.info({ port: server.port }, 'listening');
});
