// What the demo starts, and what waits for what: the product's own programs between an identity provider, two servers,
// the seed and the first call.

import { join } from 'node:path';
import { CONTOSO_TID } from '#demo/directory.ts';
import { ensurePublisherKey } from '#demo/publisher-key.ts';
import { createRegistryClient } from '#demo/registry-client.ts';
import { seed } from '#demo/seed.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import { makeFirstCall } from '#demo/supervisor/first-call.ts';
import { type DemoSettings, environmentOf } from '#demo/supervisor/settings.ts';
import { REGISTRY_SCOPE, requestUserToken } from '#demo/supervisor/user-token.ts';
import { answersOk, loopback } from '#provision/processes/readiness.ts';
import { buildServiceUnits } from '#provision/processes/service-units.ts';
import type { ProgramUnit, TaskUnit, Unit } from '#provision/processes/unit.ts';

const DEMO_STOP_MS = 2_000;

const seedTask = (settings: DemoSettings): TaskUnit => ({
  kind: 'task',
  name: 'seed',
  after: ['registry', 'mini-entra'],
  run: async () => {
    const client = createRegistryClient({
      url: settings.registryUrl,
      token: await requestUserToken(settings.providerOrigin, 'admin', REGISTRY_SCOPE),
      reason: 'sample data of the demo',
    });
    const world = buildSeedWorld(settings, [ensurePublisherKey(settings.localDirectory)]);
    return seed(client, world, join(settings.stateDirectory, 'seed.sha256'));
  },
});

/** Units in the order in which they are shown. */
export const buildDemoUnits = (settings: DemoSettings): readonly Unit[] => {
  const environment = environmentOf(settings);
  const program = (name: string, script: string, port: number, path: string): ProgramUnit => ({
    kind: 'program',
    name,
    after: [],
    script,
    environment,
    isReady: answersOk(loopback(port), path),
    stopMs: DEMO_STOP_MS,
  });
  const discovery = `/${CONTOSO_TID}/v2.0/.well-known/openid-configuration`;
  const places = {
    decisionProcesses: settings.decisionProcesses,
    gatewayPort: settings.gatewayPort,
    envoyAdminPort: settings.envoyAdminPort,
    operations: {
      registry: settings.registry,
      'xds-server': settings.xdsServer,
      'ext-authz': settings.extAuthz,
      'ext-proc': settings.extProc,
    },
    facade: settings.facadeUrl === undefined ? undefined : settings.facade,
  };
  return [
    program('mini-entra', 'demo/mini-entra/main.ts', settings.providerPort, discovery),
    program('tracker', 'demo/servers/tracker/main.ts', settings.trackerPort, '/healthz'),
    program('reports', 'demo/servers/reports/main.ts', settings.reportsPort, '/healthz'),
    ...buildServiceUnits(places, environment),
    seedTask(settings),
    {
      kind: 'task',
      name: 'first call',
      after: ['seed', 'envoy', 'tracker', 'reports'],
      run: (signal) => makeFirstCall(settings, signal),
    },
  ];
};
