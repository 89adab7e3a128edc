// A thousand calls of one user at once, over several processes that share a real Redis: the provider is asked once, and
// once also if it refuses.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '#core/secret.ts';
import { type RedisServer, startRedis } from '#test/support/redis-server.ts';
import { type SharingBroker, startSharingBroker } from '#test/support/sharing-broker.ts';
import type { Caller } from '#test/support/test-broker.ts';
import { writeTokenCacheKey } from '#test/support/token-cache-key.ts';
import { startTokenWorld, type TokenWorld, tenantOf, trackerServer } from '#test/support/token-world.ts';

const CALLS = 1_000;
const PROCESSES = 4;

let world: TokenWorld;
let redis: RedisServer;
let processes: readonly SharingBroker[];

beforeAll(async () => {
  world = await startTokenWorld();
  vi.stubEnv('TOKEN_CACHE_KEY_FILE', writeTokenCacheKey(world.secretsDirectory));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.stop();
});
beforeEach(async () => {
  world.provider.control.faults.clear();
  redis = await startRedis();
  // A Redis that answers late because this machine is busy is none that is away.
  const environment = { REDIS_URL: redis.url, SHARED_STATE_TIMEOUT_MS: '2000' };
  processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => startSharingBroker(world.secretsDirectory, environment)),
  );
  world.provider.control.resetCounters();
});
afterEach(async () => {
  await Promise.all(processes.map(({ stop }) => stop()));
  await redis.stop();
});

/** What each of many calls at once came to, over all processes in turn: the text of its token, or the reason. */
const burst = async (caller: Caller): Promise<ReadonlySet<string>> => {
  const call = async (index: number): Promise<string> => {
    const acquired = await processes[index % PROCESSES]?.broker.acquire({
      tenant: tenantOf(world.provider),
      server: trackerServer(),
      identity: caller.identity,
      assertion: new Secret(caller.assertion.reveal()),
      nowSeconds: Date.now() / 1000,
      signal: AbortSignal.timeout(20_000),
    });
    if (acquired?.ok === true) return acquired.value.token?.reveal() ?? 'none';
    return acquired?.error.reason ?? 'no such process';
  };
  return new Set(await Promise.all(Array.from({ length: CALLS }, (_, index) => call(index))));
};

const exchanges = (): number => world.provider.control.counters().on_behalf_of.requests;

describe('a thousand calls of one user over four processes', () => {
  it('make one exchange and all carry its token', async () => {
    const alice = await world.user('alice');
    const tokens = await burst(alice);
    expect(tokens.size).toBe(1);
    expect([...tokens][0]).toMatch(/^ey/);
    expect(exchanges()).toBe(1);
  });

  it.each([
    ['the caller is blocked', 53003, 'access_blocked'],
    ['nobody has consented', 650052, 'consent_required'],
  ] as const)('ask once where %s, and all of them and the next hear so', async (_what, code, reason) => {
    const alice = await world.user('alice');
    world.provider.control.faults.add({ kind: 'refusal', code });
    expect(await burst(alice)).toEqual(new Set([reason]));
    expect(await burst(alice)).toEqual(new Set([reason]));
    expect(exchanges()).toBe(1);
  });
});
