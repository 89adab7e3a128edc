// Tokens of a few seconds, used all the time by several processes or by one: whether any call meets one that has ended,
// whether a provider is asked for one twice at once, and how often it is asked at all.

import { setTimeout as sleep } from 'node:timers/promises';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { type Deployment, sharingRedis, startWorker, type Worker } from '#test/soak/start-worker.ts';
import type { WorkerOrders } from '#test/soak/token-worker.ts';
import { type RedisServer, startRedis } from '#test/support/redis-server.ts';
import { type OracleFigures, startTokenOracle } from '#test/support/token-oracle.ts';
import { startTokenWorld, type TokenWorld } from '#test/support/token-world.ts';
import {
  type EndpointFigures,
  startWatchedTokenEndpoint,
  type WatchedTokenEndpoint,
} from '#test/support/watched-token-endpoint.ts';

export type SoakOptions = {
  readonly seconds: number;
  /** More than one share a Redis. */
  readonly processes: number;
  /** Whether a process is killed a third of the way, and Redis restarted at two thirds. */
  readonly hasBadLuck: boolean;
};

export type SoakFigures = {
  readonly oracle: OracleFigures;
  readonly provider: EndpointFigures;
  readonly calls: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly longestMs: number;
  /** Exchanges over those that were needed: each key once for every token that has come of age. */
  readonly exchangesPerLife: number;
};

const LIFETIME_SECONDS = 8;

/** The broker counts from the whole second before it asks, and asks a moment before it is heard, on a busy machine a long one. */
const RENEWABLE_AFTER_MS = (LIFETIME_SECONDS * 0.8 - 1.5) * 1_000;

/** About what a provider takes. */
const EXCHANGE_MS = 150;

const SESSIONS_OF_EACH = 4;
const REDIS_OUTAGE_MS = 2_000;
/** Until every process has asked Redis again, which is how it learns that it is back: a life of every token. */
const REDIS_RETURN_MS = LIFETIME_SECONDS * 1_000;

const callersOf = async (world: TokenWorld): Promise<WorkerOrders['callers']> => {
  const callers = [];
  for (const name of ['alice', 'bob', 'paula']) {
    for (let session = 0; session < SESSIONS_OF_EACH; session += 1) {
      const { identity, assertion } = await world.user(name);
      callers.push({ identity, assertion: assertion.reveal() });
    }
  }
  return callers;
};

const killOne = async (workers: Worker[], deployment: Deployment): Promise<void> => {
  const victim = workers.shift();
  victim?.child.kill('SIGKILL');
  workers.push(await startWorker(deployment));
};

const restartRedis = async (redis: RedisServer, provider: WatchedTokenEndpoint): Promise<void> => {
  provider.excuse(true);
  await redis.kill();
  await sleep(REDIS_OUTAGE_MS);
  await redis.start();
  await sleep(REDIS_RETURN_MS);
  provider.excuse(false);
};

const sum = (counts: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const [name, count] of counts.flatMap(Object.entries)) total[name] = (total[name] ?? 0) + count;
  return total;
};

/** Runs one soak to its end. */
export const runTokenSoak = async ({ seconds, processes, hasBadLuck }: SoakOptions): Promise<SoakFigures> => {
  const world = await startTokenWorld();
  const redis = processes > 1 ? await startRedis() : undefined;
  const provider = await startWatchedTokenEndpoint({
    target: world.provider.origin,
    delayMs: EXCHANGE_MS,
    renewableAfterMs: RENEWABLE_AFTER_MS,
  });
  const oracle = await startTokenOracle({
    jwksUri: world.provider.jwksUri,
    audience: APPLICATION_IDS.trackerApi,
  });
  const callers = await callersOf(world);
  world.provider.control.setLifetime(LIFETIME_SECONDS);
  const { origin, jwksUri } = world.provider;
  const orders: WorkerOrders = {
    provider: { origin, jwksUri, tokenOrigin: provider.origin },
    oracleUrl: oracle.url,
    secretsDirectory: world.secretsDirectory,
    callers,
  };
  const environment = redis === undefined ? {} : sharingRedis(redis, world.secretsDirectory);
  const deployment = { orders, environment };
  const workers: Worker[] = [];
  try {
    for (let index = 0; index < processes; index += 1) workers.push(await startWorker(deployment));
    const third = (seconds * 1_000) / 3;
    await sleep(third);
    if (hasBadLuck) await killOne(workers, deployment);
    await sleep(third);
    if (hasBadLuck && redis !== undefined) await restartRedis(redis, provider);
    await sleep(third);
    const reports = await Promise.all(workers.map(({ finish }) => finish()));
    const seen = provider.figures();
    return {
      oracle: oracle.figures(),
      provider: seen,
      calls: reports.reduce((total, { calls }) => total + calls, 0),
      refused: sum(reports.map(({ refused }) => refused)),
      longestMs: Math.max(...reports.map(({ longestMs }) => longestMs)),
      exchangesPerLife: seen.exchanges / (seen.exchanges - seen.early),
    };
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    await Promise.all([oracle.stop(), provider.stop(), redis?.stop()]);
    await world.stop();
  }
};
