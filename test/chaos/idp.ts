// Starts the identity provider of the world: the demo's, with people of our own.

import { APPLICATIONS } from '#demo/directory.ts';
import { createMiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { port, readConfig, stateDirectory } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { PEOPLE } from '#test/chaos/people.ts';

const config = readConfig({ port: port('DEMO_IDP_PORT'), stateDirectory });

runService(createLogger('idp', 'info'), async (lifecycle) => {
  const provider = await createMiniEntra({ directories: PEOPLE, applications: APPLICATIONS, ...config });
  lifecycle.onStop('http', () => provider.close());
});
