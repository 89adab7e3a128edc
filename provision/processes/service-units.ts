// The product's own programs: the registry, the three services around Envoy, and Envoy. The demo adds its parts to
// these; production runs them as they are.

import { answersOk, getStatus, loopback } from '#provision/processes/readiness.ts';
import type { ProgramUnit } from '#provision/processes/unit.ts';
import type { Address } from '#runtime/address.ts';

export type ServicePlaces = {
  readonly operations: Readonly<Record<'registry' | 'xds-server' | 'ext-authz' | 'ext-proc', Address>>;
  readonly gatewayPort: number;
  readonly envoyAdminPort: number;
};

const SERVICE_STOP_MS = 3_000;

/** Envoy first lets calls that are being answered end. */
const ENVOY_STOP_MS = 6_000;

/** Envoy is ready when it says so and its listener answers, whatever it answers. */
const isEnvoyReady = (places: ServicePlaces) => async (): Promise<boolean> =>
  (await getStatus(loopback(places.envoyAdminPort), '/ready')) === 200 &&
  (await getStatus(loopback(places.gatewayPort), '/')) !== undefined;

/** Units of the services and Envoy, with one set of variables for all. */
export const buildServiceUnits = (
  places: ServicePlaces,
  environment: Readonly<Record<string, string>>,
): readonly ProgramUnit[] => {
  const service = (name: keyof ServicePlaces['operations'], after: readonly string[]): ProgramUnit => ({
    kind: 'program',
    name,
    after,
    script: `${name}/main.ts`,
    environment,
    isReady: answersOk(places.operations[name], '/readyz'),
    stopMs: SERVICE_STOP_MS,
  });
  return [
    service('registry', []),
    service('xds-server', ['registry']),
    service('ext-authz', ['registry']),
    service('ext-proc', ['registry']),
    {
      kind: 'program',
      name: 'envoy',
      after: ['xds-server', 'ext-authz', 'ext-proc'],
      script: 'envoy/main.ts',
      environment,
      isReady: isEnvoyReady(places),
      stopMs: ENVOY_STOP_MS,
    },
  ];
};
