// Redis behind the port of what is shared: a server, a server behind TLS, Sentinels, a Cluster.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { readConfig } from '#runtime/config.ts';
import { createLogger } from '#runtime/logger.ts';
import { REDIS_VARIABLES, type RedisConfiguration } from '#runtime/redis/redis-configuration.ts';
import type { RedisTarget } from '#runtime/redis/redis-url.ts';
import { openRedisState } from '#runtime/shared-state/redis.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { startRedisCluster } from '#test/support/redis-cluster.ts';
import { startRedisSentinels } from '#test/support/redis-sentinels.ts';
import { type RedisServer, startRedis } from '#test/support/redis-server.ts';
import { startRedisTls } from '#test/support/redis-tls.ts';
import { describeLostState, describeSharedState } from '#test/support/shared-state-contract.ts';

const LONG_MS = 3_600_000;
const UNAVAILABLE = { ok: false, error: 'unavailable' };

/** The machine is busy: what is slow here is not what these tests are about. */
const PATIENT = { SHARED_STATE_TIMEOUT_MS: '2000' };

const open = async (environment: Readonly<Record<string, string>>) => {
  const configuration = readConfig(REDIS_VARIABLES, { ...PATIENT, ...environment });
  const log: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void log.push(line) });
  const parts = { logger, random: Math.random };
  const state = await openRedisState(configuration as RedisConfiguration & { redis: RedisTarget }, parts);
  return { state, log };
};

const opened = async (environment: Readonly<Record<string, string>>) => (await open(environment)).state;

describeSharedState('Redis', async () => {
  const server = await startRedis();
  return { open: () => opened({ REDIS_URL: server.url }), pass: sleep, stop: server.stop };
});

describeSharedState('Redis Cluster', async () => {
  const cluster = await startRedisCluster();
  return { open: () => opened({ REDIS_URL: cluster.url }), pass: sleep, stop: cluster.stop };
});

const losing = (lose: (server: RedisServer) => Promise<void> | void) => async () => {
  const server = await startRedis();
  const state = await opened({ REDIS_URL: server.url, SHARED_STATE_TIMEOUT_MS: '500' });
  return { state, lost: async () => lose(server), stop: server.stop };
};

describeLostState('Redis', [
  { title: 'it was killed', lose: losing((server) => server.kill()) },
  { title: 'it answers nobody', lose: losing((server) => server.pause()) },
]);

/** Writes through one handle, reads through the other. */
const goesThrough = async (state: SharedState, key: string): Promise<boolean> => {
  await state.write(key, { value: `of ${key}`, lifetimeMs: LONG_MS });
  const found = await state.read(key);
  return found.ok && found.value === `of ${key}`;
};

describe('the way to Redis', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'redis-files-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const passwordFile = (password: string): string => {
    const file = join(directory, 'password');
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  };

  it('is found again when the server is back', async () => {
    const server = await startRedis();
    const state = await opened({ REDIS_URL: server.url });
    expect(await goesThrough(state, 'a')).toBe(true);
    await server.kill();
    expect(await state.read('a')).toEqual(UNAVAILABLE);
    await server.start();
    await expect.poll(() => goesThrough(state, 'b')).toBe(true);
    expect(await state.read('a')).toEqual(ok(undefined));
    await state.stop();
    await server.stop();
  });

  it('is opened without a server, and found when there is one', async () => {
    const server = await startRedis();
    await server.kill();
    const { state, log } = await open({ REDIS_URL: server.url });
    expect(await state.read('a')).toEqual(UNAVAILABLE);
    expect(log.join()).toContain('ECONNREFUSED');
    await server.start();
    await expect.poll(() => goesThrough(state, 'a')).toBe(true);
    expect(log.join()).toContain('shared state available again');
    await state.stop();
    await server.stop();
  });

  it('takes the password that the file has by now', async () => {
    const server = await startRedis({ password: 'right one' });
    const file = passwordFile('wrong one');
    const { state, log } = await open({ REDIS_URL: server.url, REDIS_PASSWORD_FILE: file });
    expect(await state.read('a')).toEqual(UNAVAILABLE);
    expect(log.join()).toMatch(/WRONGPASS|NOAUTH/);
    expect(log.join()).not.toContain('wrong one');
    passwordFile('right one');
    await expect.poll(() => goesThrough(state, 'a')).toBe(true);
    await state.stop();
    await server.stop();
  });

  it('takes a user and a password from the URL, with what is encoded there', async () => {
    const server = await startRedis();
    // The rights that docs/operations.md gives it, and no others.
    const rights = '~mcpgw:* resetchannels +@read +@write +@scripting +@connection -@dangerous +time +info';
    await server.run('ACL', 'SETUSER', 'gate:way', 'on', '>p@ss/word', ...rights.split(' '));
    const url = server.url.replace('//', '//gate%3Away:p%40ss%2Fword@');
    const state = await opened({ REDIS_URL: url });
    expect(await goesThrough(state, 'a')).toBe(true);
    expect(await server.run('GET', 'mcpgw:value:a')).toContain('of a');
    await state.write('b', { value: 'B', lifetimeMs: LONG_MS, owner: 'alice' });
    expect(await state.claim('b', { holder: 'us', lifetimeMs: LONG_MS })).toEqual(ok(true));
    expect(await state.release('b', 'us')).toEqual(ok(true));
    expect(await state.removeOwned('alice')).toEqual(ok(true));
    expect(await state.read('b')).toEqual(ok(undefined));
    await state.stop();
    await server.stop();
  });

  it('is encrypted, proves itself to the server, and goes to none that strangers vouch for', async () => {
    const server = await startRedis();
    const tls = await startRedisTls(server, { clients: true });
    const files = { REDIS_CERTIFICATE_FILE: tls.certificateFile, REDIS_KEY_FILE: tls.keyFile };
    const known = await opened({ REDIS_URL: tls.url, REDIS_CA_FILE: tls.caFile, ...files });
    expect(await goesThrough(known, 'a')).toBe(true);
    const nameless = await opened({ REDIS_URL: tls.url, REDIS_CA_FILE: tls.caFile });
    const trustful = await open({ REDIS_URL: tls.url, ...files });
    expect(await nameless.read('a')).toEqual(UNAVAILABLE);
    expect(await trustful.state.read('a')).toEqual(UNAVAILABLE);
    expect(trustful.log.join()).toMatch(/CERT|SIGNATURE/);
    for (const state of [known, nameless, trustful.state]) await state.stop();
    await tls.stop();
    await server.stop();
  });

  it('follows the Sentinels to the server that took over', async () => {
    const sentinels = await startRedisSentinels();
    const state = await opened({ REDIS_URL: sentinels.url });
    expect(await goesThrough(state, 'a')).toBe(true);
    await sentinels.master.kill();
    await expect.poll(() => goesThrough(state, 'b'), { timeout: 30_000 }).toBe(true);
    expect(await sentinels.replica.run('GET', 'mcpgw:value:b')).toContain('of b');
    await state.stop();
    await sentinels.stop();
  }, 90_000);
});

describe('what strangers left in Redis', () => {
  let server: RedisServer;
  let state: SharedState;
  beforeAll(async () => {
    server = await startRedis();
    state = await opened({ REDIS_URL: server.url });
  });
  afterAll(async () => {
    await state.stop();
    await server.stop();
  });

  it.each<[string, readonly (string | number)[]]>([
    ['a list', ['RPUSH', 'mcpgw:value:a', 'x']],
    ['a text that is too short', ['SET', 'mcpgw:value:a', 'x']],
    ['nothing but a head', ['SET', 'mcpgw:value:a', '']],
    ['a text that is too long', ['SETRANGE', 'mcpgw:value:a', 3_000_000, 'x']],
  ])('is no value, and makes way for one: %s', async (_what, [command = '', ...args]) => {
    await server.run('FLUSHALL');
    await server.run(String(command), ...args);
    expect(await state.read('a')).toEqual(ok(undefined));
    expect(await goesThrough(state, 'a')).toBe(true);
  });

  it('holds no lease: ours have an end', async () => {
    await server.run('SET', 'mcpgw:lease:a', 'stranger');
    await server.run('RPUSH', 'mcpgw:lease:b', 'stranger');
    for (const key of ['a', 'b']) {
      expect(await state.claim(key, { holder: 'us', lifetimeMs: LONG_MS })).toEqual(ok(true));
      expect(await state.claim(key, { holder: 'them', lifetimeMs: LONG_MS })).toEqual(ok(false));
    }
  });

  it('is no list of what an owner has', async () => {
    await server.run('SET', 'mcpgw:owner:alice', 'x');
    expect(await state.removeOwned('alice')).toEqual(ok(true));
    await state.write('a', { value: 'A', lifetimeMs: LONG_MS, owner: 'alice' });
    expect(await state.removeOwned('alice')).toEqual(ok(true));
    expect(await state.read('a')).toEqual(ok(undefined));
  });
});

describe('what is kept in Redis', () => {
  it('ends by itself, the lists of owners with it, and names no more than digests do', async () => {
    const server = await startRedis();
    const state = await opened({ REDIS_URL: server.url, REDIS_KEY_PREFIX: 'test:' });
    for (const key of ['a', 'b']) await state.write(key, { value: key, lifetimeMs: LONG_MS, owner: 'alice' });
    await state.claim('a', { holder: 'us', lifetimeMs: LONG_MS });
    const keys = (await server.run('KEYS', '*')) as readonly string[];
    expect(keys.toSorted()).toEqual(['test:lease:a', 'test:owner:alice', 'test:value:a', 'test:value:b']);
    const ends = await Promise.all(keys.map((key) => server.run('PTTL', key)));
    expect(ends.every((end) => Number(end) > 0 && Number(end) <= LONG_MS + 60_000)).toBe(true);
    await state.stop();
    await server.stop();
  });

  it('does not grow with an owner who keeps coming back', async () => {
    const server = await startRedis();
    const state = await opened({ REDIS_URL: server.url });
    await state.write('live', { value: 'x', lifetimeMs: LONG_MS, owner: 'alice' });
    await server.run('ZADD', 'mcpgw:owner:alice', 1, 'long over');
    await state.write('next', { value: 'x', lifetimeMs: LONG_MS, owner: 'alice' });
    expect(await server.run('ZRANGE', 'mcpgw:owner:alice', 0, -1)).toEqual(['live', 'next']);
    await state.stop();
    await server.stop();
  });
});
