// The product's own programs: the registry, the three services around Envoy, Envoy, and the sign-in façade where one is
// wanted. The demo adds its parts to these; production runs them as they are.

import { GatewayError } from '#core/gateway-error.ts';
import { answersOk, answersWith, getStatus, loopback } from '#provision/processes/readiness.ts';
import type { ProgramUnit } from '#provision/processes/unit.ts';
import { type Address, parseLocalAddress } from '#runtime/address.ts';
import { readConfig, runtimeDirectory, socketDefault } from '#runtime/config.ts';
import { decisionProcessNames } from '#runtime/decision-processes.ts';
import { readDrainSettings } from '#runtime/drain-settings.ts';
import { readEpoch } from '#runtime/envoy-epoch.ts';

export type ServicePlaces = {
  readonly operations: Readonly<Record<'registry' | 'xds-server' | 'ext-authz' | 'ext-proc', Address>>;
  /** Operations address of the sign-in façade; absent: it is not started. */
  readonly facade?: Address | undefined;
  /** How many ext-authz there are. */
  readonly decisionProcesses: number;
  readonly gatewayPort: number;
  readonly envoyAdminPort: number;
};

/** What closing takes beside the times a drain is given. */
const CLOSING_MS = 1_000;

/** Envoy is ready when it says so and its listener answers, whatever it answers. */
const isEnvoyReady = (places: ServicePlaces) => async (): Promise<boolean> =>
  (await getStatus(loopback(places.envoyAdminPort), '/ready')) === 200 &&
  (await getStatus(loopback(places.gatewayPort), '/')) !== undefined;

/** Every service of ours says it in `/readyz` (runtime/ops-server.ts). */
const PROCESS = /"process":\d+/;

/** One more ext-authz beside the first: it differs by its name and the places that follow from it. */
const besideFirst = (
  first: ProgramUnit,
  { name, number }: { readonly name: string; readonly number: number },
): ProgramUnit => {
  const operations = parseLocalAddress(socketDefault(`${name}-ops`));
  if (!operations.ok) throw new GatewayError('internal', operations.error);
  return {
    ...first,
    name,
    environment: { ...first.environment, EXT_AUTHZ_PROCESS: String(number) },
    isReady: answersOk(operations.value, '/readyz'),
    whoAnswers: answersWith(operations.value, '/readyz', PROCESS),
  };
};

/** Units of the services and Envoy, with one set of variables for all. */
export const buildServiceUnits = (
  places: ServicePlaces,
  environment: Readonly<Record<string, string>>,
): readonly ProgramUnit[] => {
  const { runtimeDirectory: directory } = readConfig({ runtimeDirectory });
  const { delayMs, limitMs } = readDrainSettings();
  const stopMs = delayMs + limitMs + CLOSING_MS;
  const service = (name: string, operations: Address, after: readonly string[]): ProgramUnit => ({
    kind: 'program',
    name,
    after,
    script: `${name}/main.ts`,
    environment,
    isReady: answersOk(operations, '/readyz'),
    whoAnswers: answersWith(operations, '/readyz', PROCESS),
    stopMs,
  });
  const { operations, facade } = places;
  const first = service('ext-authz', operations['ext-authz'], ['registry']);
  const decisions = decisionProcessNames(places.decisionProcesses).map((name, index) =>
    index === 0 ? first : besideFirst(first, { name, number: index + 1 }),
  );
  return [
    service('registry', operations.registry, []),
    service('xds-server', operations['xds-server'], ['registry']),
    ...decisions,
    service('ext-proc', operations['ext-proc'], ['registry']),
    ...(facade === undefined ? [] : [service('oauth-facade', facade, ['registry'])]),
    {
      kind: 'program',
      name: 'envoy',
      after: ['xds-server', ...decisions.map(({ name }) => name), 'ext-proc'],
      script: 'envoy/main.ts',
      environment,
      isReady: isEnvoyReady(places),
      whoAnswers: () => readEpoch(directory),
      stopMs,
    },
  ];
};
