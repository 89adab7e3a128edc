// Bad days of Redis as calls meet them: brokers of several processes over a real Redis, mini-entra behind them. On each day
// calls go on, nobody asks the provider more often than needed, and what was lost is shared again afterwards.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { TRUST_MS } from '#ext-authz/token/tiered-cache.ts';
import { openTokenState } from '#ext-authz/token/token-state.ts';
import { readConfig } from '#runtime/config.ts';
import { createFileOnce } from '#runtime/key-file.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type OpenedState, openSharedState, SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';
import { startExtAuthzProcess } from '#test/support/ext-authz-process.ts';
import { startRedisSentinels } from '#test/support/redis-sentinels.ts';
import { type RedisServer, startRedis } from '#test/support/redis-server.ts';
import type { Caller, TestBroker } from '#test/support/test-broker.ts';
import { startTokenWorld, type TokenWorld } from '#test/support/token-world.ts';

/** Calls at once, as of a user whose agent works on many things. */
const BURST = 40;

/** A Redis that is slow because this machine is busy is no bad day. */
const TIMEOUT_MS = '300';

type Process = TestBroker & {
  readonly opened: OpenedState;
  /** How often what was asked of Redis came to this. */
  asked(outcome: string): Promise<number>;
};

let world: TokenWorld;
let directory: string;
let server: RedisServer;
let running: Process[];
/** The caches' clocks run ahead by so much: copies are looked after when a test says so, not half a minute later. */
let aheadMs: number;

beforeAll(async () => {
  world = await startTokenWorld();
  directory = mkdtempSync(join(tmpdir(), 'redis-bad-days-'));
  vi.stubEnv('TOKEN_CACHE_KEY_FILE', join(directory, 'token-cache.key'));
  const file = configuredTokenCacheKeyFile();
  createFileOnce(file.path, `${file.generate()}\n`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
  await world.stop();
});
beforeEach(async () => {
  world.provider.control.resetCounters();
  running = [];
  aheadMs = 0;
  server = await startRedis();
});
afterEach(async () => {
  for (const { broker, opened } of running) {
    await broker.stop();
    await opened.state.stop();
  }
  await server.stop();
});

const exchanges = (): number => world.provider.control.counters().on_behalf_of.requests;

const startProcess = async (environment: Readonly<Record<string, string>> = {}): Promise<Process> => {
  const all = { REDIS_URL: server.url, SHARED_STATE_TIMEOUT_MS: TIMEOUT_MS, ...environment };
  const logger = createLogger('test', 'info', { write: () => undefined });
  const metrics = createMetrics('test');
  const nowMs = () => performance.now();
  const parts = { logger, metrics, nowMs, random: Math.random };
  const opened = await openSharedState(readConfig(SHARED_STATE_VARIABLES, all), parts);
  const state = openTokenState(opened, { logger, metrics, nowMs: () => Date.now() + aheadMs });
  const asked = async (outcome: string): Promise<number> => {
    const { body } = await metrics.render();
    const lines = body.matchAll(/^mcpgw_shared_state_operations_total\{.*outcome="(\w+)".*\} (\d+)$/gm);
    return [...lines].reduce((sum, [, name, count]) => sum + (name === outcome ? Number(count) : 0), 0);
  };
  const process = { ...world.startBroker({ state }), opened, asked };
  running.push(process);
  return process;
};

/** Where each of many calls at once got its token; all of them must have one, of the caller's own. */
const burst = async ({ acquire }: Process, caller: Caller): Promise<ReadonlySet<string>> => {
  const outcomes = await Promise.all(Array.from({ length: BURST }, () => acquire(caller)));
  for (const outcome of outcomes) expect(outcome).toMatchObject({ claims: { oid: caller.identity.oid } });
  return new Set(outcomes.map((outcome) => ('source' in outcome ? outcome.source : outcome.reason)));
};

/** From when on the copies of every process are old enough to be looked after. */
const laterOn = (): void => {
  aheadMs += TRUST_MS + 1_000;
};

const isUp = async ({ opened }: Process): Promise<boolean> => (await opened.state.read('anything')).ok;

/** A process that starts now and has nothing finds the caller's token in Redis: it is shared. */
const isShared = async (caller: Caller): Promise<boolean> => {
  const before = exchanges();
  await burst(await startProcess(), caller);
  return exchanges() === before;
};

/** The first is asked until what it has is in Redis again; at no exchange. */
const bringsBack = async (process: Process, caller: Caller): Promise<void> => {
  await expect.poll(() => isUp(process), { timeout: 20_000 }).toBe(true);
  const before = exchanges();
  laterOn();
  expect(await burst(process, caller)).toEqual(new Set(['cache']));
  await expect
    .poll(async () => (await server.run('KEYS', 'mcpgw:value:token:*')) as unknown[])
    .not.toEqual([]);
  expect(await isShared(caller)).toBe(true);
  expect(exchanges()).toBe(before);
};

describe('a good day', () => {
  it('costs one exchange of a user, however many processes and calls', async () => {
    const alice = await world.user('alice');
    const [one, two] = [await startProcess(), await startProcess()];
    const sources = await Promise.all([burst(one, alice), burst(two, alice)]);
    expect(exchanges()).toBe(1);
    expect(sources.some((source) => source.has('exchange'))).toBe(true);
    expect(await two.metricsText()).toMatch(/outcome="hit",tier="memory"|outcome="miss"/);
    expect(await isShared(alice)).toBe(true);
  });

  it('ends for a user everywhere with a purge', async () => {
    const alice = await world.user('alice');
    const [one, two] = [await startProcess(), await startProcess()];
    for (const process of [one, two]) await burst(process, alice);
    await two.broker.purge('default', alice.identity.principal);
    laterOn();
    expect(await one.acquire(alice)).toMatchObject({ source: 'exchange' });
    expect(exchanges()).toBe(2);
  });
});

describe('a day on which Redis', () => {
  it('is stopped', async () => {
    const [alice, bob] = [await world.user('alice'), await world.user('bob')];
    const [one, two] = [await startProcess(), await startProcess()];
    await burst(one, alice);
    await server.kill();
    laterOn();
    expect(await burst(one, alice)).toEqual(new Set(['cache']));
    for (const process of [one, two]) await burst(process, bob);
    expect(exchanges()).toBe(3);
    await server.start();
    await bringsBack(one, alice);
    await bringsBack(two, bob);
    expect(exchanges()).toBe(3);
  });

  it('answers nobody, and costs a few calls one wait and the others none', async () => {
    const [alice, bob] = [await world.user('alice'), await world.user('bob')];
    const one = await startProcess();
    await burst(one, alice);
    server.pause();
    laterOn();
    expect(await burst(one, alice)).toEqual(new Set(['cache']));
    await burst(one, bob);
    await expect
      .poll(async () => {
        await burst(one, bob);
        return one.opened.facts().sharedStateUp;
      })
      .toBe(false);
    const waited = await one.asked('unavailable');
    for (let round = 0; round < 5; round += 1) {
      laterOn();
      expect(await burst(one, alice)).toEqual(new Set(['cache']));
      expect(await burst(one, bob)).toEqual(new Set(['cache']));
    }
    // Looks while it is away, at most; the calls themselves asked nothing.
    expect((await one.asked('unavailable')) - waited).toBeLessThanOrEqual(5);
    expect(await one.asked('skipped')).toBeGreaterThan(0);
    expect(exchanges()).toBe(2);
    server.resume();
    await bringsBack(one, bob);
    expect(exchanges()).toBe(2);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['is flushed', () => server.run('FLUSHALL')],
    [
      'is started anew and has nothing',
      async () => {
        await server.kill();
        await server.start();
      },
    ],
  ])('%s', async (_what, empty) => {
    const [alice, bob] = [await world.user('alice'), await world.user('bob')];
    const [one, two] = [await startProcess(), await startProcess()];
    for (const process of [one, two]) for (const caller of [alice, bob]) await burst(process, caller);
    await empty();
    for (const process of [one, two]) for (const caller of [alice, bob]) await burst(process, caller);
    for (const caller of [alice, bob]) await bringsBack(one, caller);
    expect(exchanges()).toBe(2);
  });

  it('fails over to a replica', async () => {
    const sentinels = await startRedisSentinels();
    try {
      const [alice, bob] = [await world.user('alice'), await world.user('bob')];
      const environment = { REDIS_URL: sentinels.url };
      const [one, two] = [await startProcess(environment), await startProcess(environment)];
      await burst(one, alice);
      await burst(two, alice);
      await sentinels.master.kill();
      for (const process of [one, two]) expect(await burst(process, alice)).toEqual(new Set(['cache']));
      for (const process of [one, two])
        await expect.poll(() => isUp(process), { timeout: 30_000 }).toBe(true);
      await burst(one, bob);
      await burst(two, bob);
      expect(exchanges()).toBe(2);
      expect(String(await sentinels.replica.run('INFO', 'replication'))).toContain('role:master');
    } finally {
      await sentinels.stop();
    }
  }, 90_000);

  it('is full', async () => {
    const [alice, bob] = [await world.user('alice'), await world.user('bob')];
    const [one, two] = [await startProcess(), await startProcess()];
    await burst(one, alice);
    await server.run('CONFIG', 'SET', 'maxmemory', 1);
    expect(await burst(two, alice)).toEqual(new Set(['cache']));
    await burst(two, bob);
    expect(await burst(two, bob)).toEqual(new Set(['cache']));
    expect(exchanges()).toBe(2);
    await server.run('CONFIG', 'SET', 'maxmemory', 0);
    await bringsBack(two, bob);
    expect(exchanges()).toBe(2);
  });

  it('takes another password than it is given', async () => {
    const alice = await world.user('alice');
    const file = join(directory, 'password');
    writeFileSync(file, 'new password', { mode: 0o600 });
    const environment = { REDIS_PASSWORD_FILE: file };
    await server.run('ACL', 'SETUSER', 'default', 'resetpass', '>old password', '+@all', '~*');
    const one = await startProcess(environment);
    await burst(one, alice);
    expect(await burst(one, alice)).toEqual(new Set(['cache']));
    expect(exchanges()).toBe(1);
    writeFileSync(file, 'old password');
    await expect.poll(() => isUp(one), { timeout: 20_000 }).toBe(true);
    laterOn();
    await burst(one, alice);
    const two = await startProcess(environment);
    await expect.poll(async () => (await burst(two, alice)).has('cache')).toBe(true);
    expect(exchanges()).toBe(1);
  });
});

describe('a Redis that somebody else writes to', () => {
  const tokenKeys = async () => (await server.run('KEYS', 'mcpgw:value:token:*')) as string[];

  it('hands no user the token of another, and no one a token that was changed', async () => {
    const [alice, bob] = [await world.user('alice'), await world.user('bob')];
    const one = await startProcess();
    for (const caller of [alice, bob]) await burst(one, caller);
    const [first = '', second = '', ...others] = await tokenKeys();
    expect(others).toEqual([]);
    const [former, latter] = [await server.run('GET', first), await server.run('GET', second)];
    await server.run('SET', first, String(latter), 'PX', 60_000);
    await server.run('SET', second, `${String(former).slice(0, -8)}AAAAAAAA`, 'PX', 60_000);
    const two = await startProcess();
    for (const caller of [alice, bob]) await burst(two, caller);
    expect(exchanges()).toBe(4);
    expect(await isShared(alice)).toBe(true);
  });

  it('is used as if it were empty where it holds what is not ours', async () => {
    const alice = await world.user('alice');
    await burst(await startProcess(), alice);
    const keys = (await server.run('KEYS', 'mcpgw:*')) as string[];
    const [token = ''] = await tokenKeys();
    const garbage = [...keys, token.replace(':value:token:', ':lease:lease:')];
    for (const key of garbage) await server.run('DEL', key);
    for (const key of garbage) await server.run('RPUSH', key, 'garbage');
    const two = await startProcess();
    await burst(two, alice);
    expect(exchanges()).toBe(2);
    expect(await isShared(alice)).toBe(true);
    await two.broker.purge('default', alice.identity.principal);
    expect(await tokenKeys()).toEqual([]);
  });
});

/** What `/readyz` says, on the socket of its own. */
const readinessOf = async (runtimeDirectory: string): Promise<unknown> => {
  const asked = get({ socketPath: join(runtimeDirectory, 'ext-authz-ops.sock'), path: '/readyz' });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return json(response);
};

describe('ext-authz', () => {
  it('says what is shared, starts where Redis is away, and names no password', async () => {
    await server.kill();
    const process = await startExtAuthzProcess({
      REDIS_URL: server.url.replace('//', '//:hunter2@'),
      TOKEN_CACHE_KEY_FILE: join(directory, 'token-cache.key'),
    });
    try {
      expect(process.log()).toMatch(/"sharedState":"redis".*"message":"ext-authz serves"/);
      expect(await process.ask('while Redis is away')).toBe('token_missing');
      const readiness = await readinessOf(process.environment['MCPGW_RUNTIME_DIR'] ?? '');
      expect(readiness).toMatchObject({ ready: true, sharedState: 'redis', tokenCacheKeyFault: null });
      expect(process.log() + JSON.stringify(readiness)).not.toContain('hunter2');
    } finally {
      await process.stop();
      await server.start();
    }
  });
});
