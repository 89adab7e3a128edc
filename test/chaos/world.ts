// The running product with everything around it, each part a process of its own under one supervisor.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFleet } from '#provision/processes/fleet.ts';
import { inheritedEnvironment } from '#runtime/config.ts';
import { type LinkProxy, type OpenLink, openLinks } from '#test/chaos/links.ts';
import { createOperator, type Operator } from '#test/chaos/operator.ts';
import { createPart, type Part } from '#test/chaos/parts.ts';
import { type LinkName, makePlaces, type Places } from '#test/chaos/places.ts';
import { bringTenants, writeSecrets } from '#test/chaos/tenants.ts';
import { createTokens, type Tokens } from '#test/chaos/tokens.ts';
import { buildUnits, PARTS, type PartName, type Prepared } from '#test/chaos/units.ts';
import { preparePostgres } from '#test/support/postgres-server.ts';
import { ROOT } from '#test/support/product-process.ts';
import { writeTokenCacheKey } from '#test/support/token-cache-key.ts';

export type World = {
  readonly places: Places;
  readonly parts: Readonly<Record<PartName, Part>>;
  /** What stands on each link; empty where processes meet directly. */
  readonly proxies: ReadonlyMap<LinkName, LinkProxy>;
  readonly tokens: Tokens;
  /** The registry's API as its admin. */
  readonly operator: Operator;
  /** What the MCP servers wrote down. */
  readonly arrivalsFile: string;
  /** Ends everything and removes the directories. */
  stop(): Promise<void>;
};

export type WorldOptions = {
  /** Puts something on every link. */
  readonly openLink?: OpenLink;
  /** Variables for single parts beside what they are told anyway. */
  readonly environment?: (
    places: Places,
  ) => Readonly<Partial<Record<PartName, Readonly<Record<string, string>>>>>;
  /** Hears what is going on while it starts. */
  readonly say?: (line: string) => void;
};

const KEYS_MS = 30_000;

const redisBinary = (): string => {
  const binary = inheritedEnvironment()['REDIS_BIN'];
  if (!binary) throw new Error('REDIS_BIN must name a redis-server: run this with `--with redis`');
  return binary;
};

const prepare = (places: Places) => {
  const postgres = preparePostgres();
  const prepared: Prepared = {
    postgresPrograms: postgres.programs,
    postgresData: postgres.data,
    redisBinary: redisBinary(),
    tokenCacheKeyFile: writeTokenCacheKey(places.secretsDirectory),
    keysFile: join(places.directory, 'keys.json'),
    arrivalsFile: join(places.directory, 'arrivals.jsonl'),
  };
  writeSecrets(places);
  return { prepared, postgresDirectory: postgres.directory };
};

/** The provider's keys for the MCP servers, as a file. */
const writeKeys = async ({ ports }: Places, file: string): Promise<string> => {
  const url = `http://127.0.0.1:${ports.idp}/common/discovery/v2.0/keys`;
  const response = await fetch(url, { signal: AbortSignal.timeout(KEYS_MS) });
  writeFileSync(file, await response.text());
  return 'keys for the servers';
};

const buildFleet = (places: Places, prepared: Prepared, { environment = () => ({}), say }: WorldOptions) => {
  const pidsDirectory = join(places.directory, 'pids');
  const holdDirectory = join(places.directory, 'hold');
  for (const directory of [pidsDirectory, holdDirectory]) mkdirSync(directory);
  const more = environment(places);
  const units = buildUnits(places, prepared).map((unit) => ({
    ...unit,
    after: unit.after.map((name) => (unit.name === 'upstream' && name === 'idp' ? 'keys' : name)),
    environment: { ...unit.environment, ...more[unit.name as PartName] },
  }));
  const keys = {
    kind: 'task' as const,
    name: 'keys',
    after: ['idp'],
    run: () => writeKeys(places, prepared.keysFile),
  };
  const place = {
    root: ROOT,
    environment: inheritedEnvironment(),
    logsDirectory: places.logsDirectory,
    pidsDirectory,
    holdDirectory,
    onCrash: () => undefined,
  };
  const fleet = createFleet([...units, keys], place, {
    onReady: (name, _, tookMs) => say?.(`${name} ${tookMs} ms`),
  });
  const hands = new Map(units.map((unit) => [unit.name, createPart(unit, { pidsDirectory, holdDirectory })]));
  const parts = Object.fromEntries(PARTS.map((name) => [name, hands.get(name)])) as World['parts'];
  return { fleet, parts };
};

/**
 * Starts it and brings the tenants.
 * @throws with the last words of a part that does not start; nothing runs then
 */
export const startWorld = async (options: WorldOptions = {}): Promise<World> => {
  const places = await makePlaces(options.openLink !== undefined);
  const { prepared, postgresDirectory } = prepare(places);
  const { fleet, parts } = buildFleet(places, prepared, options);
  const proxies = await openLinks(places, options.openLink);
  const stop = async (): Promise<void> => {
    for (const part of Object.values(parts)) {
      part.release();
      part.resume();
    }
    await fleet.stop();
    for (const proxy of proxies.values()) await proxy.stop();
    for (const directory of [places.directory, postgresDirectory])
      rmSync(directory, { recursive: true, force: true });
  };
  try {
    await fleet.start();
    const tokens = createTokens(places);
    const operator = createOperator(places, await tokens.admin());
    await bringTenants(operator, places);
    const { arrivalsFile } = prepared;
    return { places, parts, proxies, tokens, operator, arrivalsFile, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};
