// `npm run bench:token`: what a token costs a decision. A cold exchange at mini-entra over HTTP; a hit in the process's own
// memory beside MSAL's own cache, at 100, 1,000 and 10,000 users; a hit in a real Redis. Ours and MSAL's take turns in one
// process, round by round, so that the ratio is read where the machine is busy. What is timed is the whole of `acquire()`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '#core/identity.ts';
import { ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { createTokenBroker, type RunningBroker } from '#ext-authz/token/broker.ts';
import { createExchangeGate } from '#ext-authz/token/gate/exchange-gate.ts';
import { createRefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { openTokenState } from '#ext-authz/token/token-state.ts';
import { readConfig } from '#runtime/config.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type OpenedState, openSharedState, SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';
import { NO_WITNESS, SERVER, TENANT, user } from '#test/support/broker-fleet.ts';
import { fillMsalCache } from '#test/support/msal-cache.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { startTokenWorld } from '#test/support/token-world.ts';

const ROUNDS = 15;
const HITS = 500;
const COLD_EXCHANGES = 20;
const REDIS_USERS = 1_000;

/** MSAL's hits of a round: at 10,000 users one takes tens of milliseconds. */
const SIZES = [
  { users: 100, msalHits: 200 },
  { users: 1_000, msalHits: 100 },
  { users: 10_000, msalHits: 10 },
] as const;

const logger = createLogger('bench', 'silent');
const monotonicMs = () => performance.now();

/** As long as Entra's are. */
const textOf = (kind: string, number: number): string => `${kind} of ${number} `.padEnd(1_600, 'x');
const assertionOf = (number: number): string => textOf('assertion', number);

type Caller = { readonly identity: Identity; readonly assertion: Secret };

const callers = (count: number): readonly Caller[] => {
  const issuedAt = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, number) => ({
    identity: user(`user-${number}`, { issuedAt, expiresAt: issuedAt + 3_600 }),
    assertion: new Secret(assertionOf(number)),
  }));
};

/** A process with an empty memory, at a provider that costs nothing. */
const startProcess = (opened: OpenedState): RunningBroker => {
  const metrics = createMetrics('bench');
  const { facts: _facts, ...kept } = openTokenState(opened, { logger, metrics, nowMs: Date.now });
  const tools = { logger, metrics: createTokenMetrics(metrics), random: Math.random };
  let issued = 0;
  const exchanger = async () => {
    issued += 1;
    return ok({ token: new Secret(textOf('token', issued)), expiresInSeconds: 3_600 });
  };
  return createTokenBroker({
    exchangers: { obo: exchanger, 'token-exchange': exchanger, 'client-credentials': exchanger },
    ...kept,
    refusals: createRefusalMemory(),
    secrets: { read: async () => ok(new Secret('app-secret')) },
    gate: createExchangeGate({ ...tools, nowMs: monotonicMs }),
    witness: NO_WITNESS,
    ...tools,
    monotonicMs,
    sleep: (ms) => sleep(ms),
  });
};

/** Where the token of a call was from. @throws if there is none */
const take = async (broker: RunningBroker, caller: Caller): Promise<string> => {
  const nowSeconds = Date.now() / 1000;
  const signal = new AbortController().signal;
  const taken = await broker.acquire({ tenant: TENANT, server: SERVER, ...caller, nowSeconds, signal });
  if (!taken.ok) throw new Error(`no token: ${taken.error.reason}`);
  taken.value.token?.reveal();
  return taken.value.source;
};

const takeCached = async (broker: RunningBroker, caller: Caller | undefined): Promise<void> => {
  if (caller === undefined || (await take(broker, caller)) !== 'cache') throw new Error('expected a hit');
};

/** Milliseconds of one, over `count` that follow each other: by the clock, and of the processor. */
type Cost = { readonly wall: number; readonly cpu: number };

const cpuMs = (): number => {
  const { user: own, system } = process.cpuUsage();
  return (own + system) / 1_000;
};

const timed = async (count: number, run: (number: number) => Promise<unknown>): Promise<Cost> => {
  const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
  for (let number = 0; number < count; number += 1) await run(number);
  return { wall: (performance.now() - startedAt) / count, cpu: (cpuMs() - cpuBefore) / count };
};

const spread = (values: readonly number[], digits: number): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(digits);
  return `${at(0)} / ${at(0.5)} / ${at(1)}`;
};

const both = (costs: readonly Cost[], digits: number): string =>
  `${spread(
    costs.map(({ wall }) => wall),
    digits,
  )} ms, of the processor ${spread(
    costs.map(({ cpu }) => cpu),
    digits,
  )} ms`;

const inRounds = async <Result>(round: () => Promise<Result>): Promise<Result[]> => {
  const results: Result[] = [];
  for (let number = 0; number < ROUNDS; number += 1) results.push(await round());
  return results;
};

const openShared = (environment: Readonly<Record<string, string>>): Promise<OpenedState> => {
  const configuration = readConfig(SHARED_STATE_VARIABLES, environment);
  const metrics = createMetrics('bench');
  return openSharedState(configuration, { logger, metrics, nowMs: monotonicMs, random: Math.random });
};

const measureLocalHits = async ({ users, msalHits }: (typeof SIZES)[number]): Promise<void> => {
  const people = callers(users);
  const broker = startProcess(await openShared({}));
  for (const caller of people) await take(broker, caller);
  const msal = await fillMsalCache(users, assertionOf);
  // Far apart, so that both look all over what they have.
  const pick = (number: number): number => (number * 7_919) % users;
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  const ratios = await inRounds(async () => {
    const own = await timed(HITS, (number) => takeCached(broker, people[pick(number)]));
    const other = await timed(msalHits, (number) => msal.hit(assertionOf(pick(number))));
    ours.push(own);
    theirs.push(other);
    return other.cpu / own.cpu;
  });
  console.log(`local hit, ${users} users: ${both(ours, 4)}`);
  console.log(`  MSAL's own cache: ${both(theirs, 3)}; so many times as much: ${spread(ratios, 1)}`);
  await broker.stop();
};

const measureRedisHits = async (): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-bench-'));
  const redis = await startRedis();
  process.env['TOKEN_CACHE_KEY_FILE'] = join(directory, 'token-cache.keys');
  ensureKeyFile(configuredTokenCacheKeyFile());
  const opened = await openShared({ REDIS_URL: redis.url });
  // A connection that is not there yet would leave the first tokens unshared.
  while (!(await opened.state.read('first')).ok) await sleep(10);
  const people = callers(REDIS_USERS);
  const writer = startProcess(opened);
  for (const caller of people) await take(writer, caller);
  let misses = 0;
  const hits = await inRounds(async () => {
    const reader = startProcess(opened);
    return timed(REDIS_USERS, async (number) => {
      if ((await take(reader, people[number] as Caller)) !== 'cache') misses += 1;
    });
  });
  console.log(`Redis hit, ${REDIS_USERS} users, each once: ${both(hits, 3)}`);
  console.log(`  not answered in time, and exchanged anew: ${misses} of ${REDIS_USERS * ROUNDS}`);
  await opened.state.stop();
  await redis.stop();
  await rm(directory, { recursive: true });
};

const measureColdExchanges = async (): Promise<void> => {
  const world = await startTokenWorld();
  const { acquire } = world.startBroker();
  const exchanges = await inRounds(async () => {
    const people = await Promise.all(Array.from({ length: COLD_EXCHANGES }, () => world.user('alice')));
    return timed(COLD_EXCHANGES, (number) => acquire(people[number] as Caller));
  });
  console.log(`cold exchange, the provider in the same process: ${both(exchanges, 2)}`);
  await world.stop();
};

const measureSecrets = async (): Promise<void> => {
  const text = textOf('token', 1);
  const costs = await inRounds(() =>
    timed(100, async () => {
      for (let number = 0; number < 1_000; number += 1) new Secret(text).reveal();
    }),
  );
  // Milliseconds of a thousand are microseconds of one.
  console.log(`a secret of 1,600 characters, made and revealed: ${both(costs, 2).replaceAll(' ms', ' µs')}`);
};

console.log(`${ROUNDS} rounds; min / median / max`);
await measureSecrets();
await measureColdExchanges();
for (const size of SIZES) await measureLocalHits(size);
await measureRedisHits();
process.exit(0);
