// Every process of the world in words: what it runs, what it is told, when it is ready. Who dials is told its end of the link.

import { join } from 'node:path';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import { answersOk, getStatus, loopback } from '#provision/processes/readiness.ts';
import type { ProgramUnit } from '#provision/processes/unit.ts';
import type { Address } from '#runtime/address.ts';
import { formatAddress } from '#runtime/address.ts';
import { TENANTS } from '#test/chaos/people.ts';
import { dialled, type LinkName, type Places } from '#test/chaos/places.ts';

/** Parts that can be killed, stopped and restarted, as they are started. */
export const PARTS = [
  'postgres',
  'redis',
  'idp',
  'upstream',
  'registry',
  'xds-server',
  'ext-authz',
  'ext-authz-2',
  'ext-proc',
  'envoy',
] as const;
export type PartName = (typeof PARTS)[number];

/** What exists before any process: programs of the databases, a cluster of Postgres, files. */
export type Prepared = {
  readonly postgresPrograms: string;
  readonly postgresData: string;
  readonly redisBinary: string;
  readonly tokenCacheKeyFile: string;
  readonly keysFile: string;
  readonly arrivalsFile: string;
};

const STOP_MS = 5_000;

const socket = (directory: string, name: string): Address => ({
  kind: 'unix',
  path: join(directory, `${name}.sock`),
});

const isTaken = (port: number) => async (): Promise<boolean> =>
  (await getStatus(loopback(port), '/')) !== undefined;

/** Redis and Postgres do not speak HTTP: whoever needs them waits for them. */
const isListening = (port: number) => async (): Promise<boolean> => {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
};

const issuerOf = ({ ports }: Places, tid: string): string => `http://127.0.0.1:${ports.idp}/${tid}/v2.0`;

/** What all parts of the product are told alike. */
const shared = (places: Places): Readonly<Record<string, string>> => ({
  MCPGW_RUNTIME_DIR: places.runDirectory,
  MCPGW_STATE_DIR: places.stateDirectory,
  SECRETS_DIRECTORY: places.secretsDirectory,
  GATEWAY_PORT: String(places.ports.gateway),
  GATEWAY_PUBLIC_URL: `http://127.0.0.1:${places.ports.gateway}`,
  REGISTRY_PORT: String(places.ports.registry),
  ENVOY_ADMIN_PORT: String(places.ports.envoyAdmin),
  DECISION_PROCESSES: '2',
  EGRESS_ALLOW_PRIVATE: 'true',
});

const databaseUnit = (
  kind: 'postgres' | 'redis',
  facts: { readonly program: string; readonly directory: string; readonly port: number },
): ProgramUnit => ({
  kind: 'program',
  name: kind,
  after: [],
  script: 'test/chaos/database.ts',
  environment: {
    CHAOS_DATABASE: kind,
    CHAOS_DATABASE_PROGRAM: facts.program,
    CHAOS_DATABASE_DIR: facts.directory,
    CHAOS_DATABASE_PORT: String(facts.port),
  },
  isReady: isListening(facts.port),
  stopMs: STOP_MS,
});

const surroundings = (places: Places, prepared: Prepared): readonly ProgramUnit[] => {
  const { ports, stateDirectory } = places;
  const program = (name: 'idp' | 'upstream', environment: Readonly<Record<string, string>>): ProgramUnit => ({
    kind: 'program',
    name,
    after: name === 'idp' ? [] : ['idp'],
    script: `test/chaos/${name}.ts`,
    environment,
    isReady: answersOk(loopback(ports[name]), '/healthz'),
    stopMs: STOP_MS,
  });
  return [
    databaseUnit('postgres', {
      program: prepared.postgresPrograms,
      directory: prepared.postgresData,
      port: ports.postgres,
    }),
    databaseUnit('redis', {
      program: prepared.redisBinary,
      directory: join(places.directory, 'data'),
      port: ports.redis,
    }),
    program('idp', { DEMO_IDP_PORT: String(ports.idp), MCPGW_STATE_DIR: stateDirectory }),
    program('upstream', {
      CHAOS_UPSTREAM_PORT: String(ports.upstream),
      CHAOS_KEYS_FILE: prepared.keysFile,
      CHAOS_ISSUERS: TENANTS.map(({ tid }) => issuerOf(places, tid)).join(','),
      CHAOS_ARRIVALS_FILE: prepared.arrivalsFile,
    }),
  ];
};

/** Where a part meets the ones it dials. */
const dials = (places: Places, prepared: Prepared): Readonly<Record<string, Record<string, string>>> => {
  const { links } = places;
  const feed = (name: LinkName) => ({ REGISTRY_FEED_ADDRESS: formatAddress(links[name].at) });
  const decides = (name: LinkName) => ({
    SHARED_STATE: 'redis',
    REDIS_URL: `redis://${dialled(links[name])}`,
    TOKEN_CACHE_KEY_FILE: prepared.tokenCacheKeyFile,
  });
  return {
    registry: {
      POSTGRES_URL: `postgres://postgres@${dialled(links['registry-postgres'])}/postgres`,
      ADMIN_ISSUER: issuerOf(places, CONTOSO_TID),
      ADMIN_JWKS_URI: `http://${dialled(links['registry-idp'])}/common/discovery/v2.0/keys`,
      ADMIN_AUDIENCE: APPLICATION_IDS.registryApi,
    },
    'xds-server': feed('xds-server-registry'),
    'ext-authz': { ...feed('ext-authz-registry'), ...decides('ext-authz-redis'), EXT_AUTHZ_PROCESS: '1' },
    'ext-authz-2': {
      ...feed('ext-authz-2-registry'),
      ...decides('ext-authz-2-redis'),
      EXT_AUTHZ_PROCESS: '2',
    },
    'ext-proc': feed('ext-proc-registry'),
    envoy: { MCPGW_RUNTIME_DIR: places.envoyRunDirectory },
  };
};

const product = (places: Places, prepared: Prepared): readonly ProgramUnit[] => {
  const told = dials(places, prepared);
  const unit = (name: PartName, after: readonly string[]): ProgramUnit => ({
    kind: 'program',
    name,
    after,
    script: `${name === 'ext-authz-2' ? 'ext-authz' : name}/main.ts`,
    environment: { ...shared(places), ...told[name] },
    isReady: answersOk(socket(places.runDirectory, `${name}-ops`), '/readyz'),
    stopMs: STOP_MS,
  });
  const envoy = unit('envoy', ['xds-server', 'ext-authz', 'ext-authz-2', 'ext-proc']);
  const isOpen = isTaken(places.ports.gateway);
  const isLive = answersOk(loopback(places.ports.envoyAdmin), '/ready');
  return [
    unit('registry', ['postgres', 'idp']),
    ...(['xds-server', 'ext-authz', 'ext-authz-2', 'ext-proc'] as const).map((name) =>
      unit(name, ['registry', 'redis']),
    ),
    { ...envoy, isReady: async () => (await isLive()) && (await isOpen()) },
  ];
};

/** All of them. */
export const buildUnits = (places: Places, prepared: Prepared): readonly ProgramUnit[] => [
  ...surroundings(places, prepared),
  ...product(places, prepared),
];
