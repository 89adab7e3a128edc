// Unit tests of remote-keys.ts: how long a key document that cannot be had is left alone.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRemoteKeys } from '#registry/remote-keys.ts';
import { createLogger } from '#runtime/logger.ts';

const HOUR_MS = 3_600_000;
const TOKEN = { payload: '', signature: '' };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a document that could not be fetched', () => {
  it('is asked for again after a moment, though the clock was set back', async () => {
    const fetchKeys = vi.fn(async () => new Response('', { status: 500 }));
    const keys = createRemoteKeys({
      issuer: 'https://login.example.com',
      jwksUri: 'https://login.example.com/keys',
      logger: createLogger('registry', 'fatal'),
      fetchKeys,
    });
    const ask = async () => {
      await expect(keys.getKey({ alg: 'ES256', kid: 'a' }, TOKEN)).rejects.toThrow();
    };
    await ask();
    await ask();
    expect(fetchKeys).toHaveBeenCalledTimes(1);
    vi.setSystemTime(Date.now() - HOUR_MS);
    await vi.advanceTimersByTimeAsync(3_000);
    await ask();
    expect(fetchKeys).toHaveBeenCalledTimes(2);
    keys.stop();
  });
});
