// Shared state in Cosmos DB, by its own SDK, against a stand-in of the REST operations it uses.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { createLogger } from '#runtime/logger.ts';
import { openCosmosState } from '#runtime/shared-state/open-cosmos.ts';
import { type CosmosServer, startCosmosServer } from '#test/support/cosmos-server.ts';
import { describeLostState, describeSharedState } from '#test/support/shared-state-contract.ts';
import { startStallingProxy } from '#test/support/stalling-proxy.ts';

const PATIENT_MS = 20_000;
const LONG_MS = 3_600_000;
const UNAVAILABLE = { ok: false, error: 'unavailable' };

let place: string;
let server: CosmosServer;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-cosmos-'));
  server = await startCosmosServer();
});
afterAll(async () => {
  await server.stop();
  rmSync(place, { recursive: true });
});

let files = 0;
const keyFile = (key: string): string => {
  files += 1;
  const path = join(place, `key-${files}`);
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  return path;
};

const open = (
  account: CosmosServer,
  more: { deadlineMs?: number; endpoint?: string; keyFile?: string } = {},
  logger = createLogger('test', 'silent'),
) => {
  const { endpoint, database, container } = account;
  const all = {
    endpoint,
    database,
    container,
    deadlineMs: PATIENT_MS,
    keyFile: more.keyFile ?? keyFile(account.key()),
  };
  return openCosmosState({ ...all, ...more }, logger);
};

describeSharedState('Cosmos DB', async () => ({
  open: () => open(server),
  pass: async (ms) => void (await sleep(ms)),
  stop: async () => undefined,
}));

const lose = async (how: 'hangs' | 'is gone') => {
  const account = await startCosmosServer();
  const { hostname, port } = new URL(account.endpoint);
  const proxy = await startStallingProxy({ host: hostname, port: Number(port) });
  const state = await open(account, { endpoint: `http://127.0.0.1:${proxy.port}`, deadlineMs: 1_000 });
  return {
    state,
    lost: async () => (how === 'hangs' ? proxy.stall() : proxy.stop()),
    stop: async () => {
      await proxy.stop();
      await account.stop();
    },
  };
};

describeLostState('Cosmos DB', [
  { title: 'it hangs', lose: () => lose('hangs') },
  { title: 'nobody listens there any more', lose: () => lose('is gone') },
]);

describe('shared state in Cosmos DB', () => {
  const lease = { holder: 'h', lifetimeMs: LONG_MS };

  it('reads, writes and takes a free lease with one request each', async () => {
    const account = await startCosmosServer();
    const state = await open(account);
    await state.read('a');
    const asked = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
      const before = account.requests().length;
      await work();
      return account.requests().slice(before);
    };
    expect(await asked(() => state.write('a', { value: 'A', lifetimeMs: LONG_MS }))).toHaveLength(1);
    expect(await asked(() => state.read('a'))).toHaveLength(1);
    expect(await asked(() => state.claim('a', lease))).toHaveLength(1);
    expect(await asked(() => state.claim('a', lease))).toHaveLength(2);
    // The SDK asks for a plan beside the query; the service answers a plain filter without it.
    expect(await asked(() => state.removeOwned('nobody'))).toEqual(['POST docs 200', 'POST docs 200']);
    await state.stop();
    await account.stop();
  });

  it('goes on after pauses where the account has no units left, and gives up in time', async () => {
    const state = await open(server);
    await state.read('a');
    server.throttle(2);
    expect(await state.claim('throttled', lease)).toEqual(ok(true));
    server.throttle(1_000);
    expect(await state.claim('throttled too', lease)).toEqual(UNAVAILABLE);
    server.throttle(0);
    expect(await state.claim('throttled too', lease)).toEqual(ok(true));
    await state.stop();
  });

  it('takes a key that was changed in its file, and says nothing of it', async () => {
    const account = await startCosmosServer();
    const lines: string[] = [];
    const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    const file = keyFile(account.key());
    const state = await open(account, { keyFile: file }, logger);
    expect(await state.write('a', { value: 'A', lifetimeMs: LONG_MS })).toEqual(ok(true));
    const [before, after] = [account.key(), account.changeKey()];
    expect(await state.read('a')).toEqual(UNAVAILABLE);
    writeFileSync(file, after);
    await expect.poll(() => state.read('a')).toEqual(ok('A'));
    await state.stop();
    await account.stop();
    expect(lines.join('')).toContain('the account answered 401');
    for (const key of [before, after]) expect(lines.join('')).not.toContain(key);
  });

  it('is not opened without a key that its owner alone can read', async () => {
    const file = keyFile(server.key());
    chmodSync(file, 0o644);
    await expect(open(server, { keyFile: file })).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(open(server, { keyFile: join(place, 'none') })).rejects.toThrow(/^COSMOS_KEY_FILE: /);
  });

  it('is unavailable in a container that would never take anything away, and says why', async () => {
    const account = await startCosmosServer({ timeToLive: false });
    const lines: string[] = [];
    const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    const state = await open(account, {}, logger);
    expect(await state.write('a', { value: 'A', lifetimeMs: LONG_MS })).toEqual(UNAVAILABLE);
    expect(lines.join('')).toContain('needs partition key /id and a default TTL');
    expect(account.count()).toBe(0);
    await state.stop();
    await account.stop();
  });
});
