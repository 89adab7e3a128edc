// A decision process that is killed while the provider is asked for a token others need: real processes, a real Redis.

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { LEASE_MS } from '#ext-authz/token/shared-flight.ts';
import { sharingRedis, startWorker } from '#test/soak/start-worker.ts';
import { type RedisServer, startRedis } from '#test/support/redis-server.ts';
import { startSharingBroker } from '#test/support/sharing-broker.ts';
import { startTokenOracle, type TokenOracle } from '#test/support/token-oracle.ts';
import { startTokenWorld, type TokenWorld, tenantOf, trackerServer } from '#test/support/token-world.ts';
import {
  startWatchedTokenEndpoint,
  type WatchedTokenEndpoint,
} from '#test/support/watched-token-endpoint.ts';

/** Long enough to kill who asks before it is answered, on a busy machine too. */
const EXCHANGE_MS = 2_000;

let world: TokenWorld;
let redis: RedisServer;
let oracle: TokenOracle;
let provider: WatchedTokenEndpoint;

beforeAll(async () => {
  world = await startTokenWorld();
  redis = await startRedis();
  provider = await startWatchedTokenEndpoint({
    target: world.provider.origin,
    delayMs: EXCHANGE_MS,
    renewableAfterMs: 0,
  });
  oracle = await startTokenOracle({
    jwksUri: world.provider.jwksUri,
    audience: APPLICATION_IDS.trackerApi,
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([oracle.stop(), provider.stop(), redis.stop()]);
  await world.stop();
});

describe('a process that dies while it asks', () => {
  it('is waited for until its lease ends, and then another asks: never both at once', async () => {
    const { identity, assertion } = await world.user('alice');
    const { origin, jwksUri } = world.provider;
    const place = { origin, jwksUri, tokenOrigin: provider.origin };
    const environment = sharingRedis(redis, world.secretsDirectory);
    const callers = [{ identity, assertion: assertion.reveal() }];
    const { secretsDirectory } = world;
    const orders = { provider: place, oracleUrl: oracle.url, secretsDirectory, callers };
    const victim = await startWorker({ orders, environment });
    await expect.poll(provider.running).toBe(1);
    const killedAt = performance.now();
    victim.child.kill('SIGKILL');
    await once(victim.child, 'exit');

    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const survivor = await startSharingBroker(secretsDirectory, process.env);
    const ask = (signal: AbortSignal) =>
      survivor.broker.acquire({
        tenant: tenantOf(place),
        server: trackerServer(),
        identity,
        assertion,
        nowSeconds: Date.now() / 1000,
        signal,
      });
    expect(await ask(AbortSignal.timeout(500))).toMatchObject({ error: { reason: 'deadline_exceeded' } });
    expect(await ask(AbortSignal.timeout(25_000))).toMatchObject({ value: { source: 'exchange' } });
    expect(performance.now() - killedAt).toBeGreaterThan(LEASE_MS - EXCHANGE_MS);
    expect(provider.figures()).toMatchObject({ exchanges: 2, overlapping: 0 });
    await survivor.stop();
  });
});
