// Unit tests of dpop-replay.ts.
import { describe, expect, it } from 'vitest';
import { createReplayMemory, type ReplayLimits } from '#ext-authz/identity/dpop-replay.ts';

const NOW = 1_000;

const memoryOf = (limits: Parameters<typeof createReplayMemory>[0]) => {
  const memory = createReplayMemory(limits);
  const use = (tenantId: string, jkt: string, jti: string, nowSeconds = NOW) =>
    memory.use({ tenantId, jkt, jti }, { nowSeconds, windowSeconds: 120 });
  return { ...memory, use };
};

/** Tenant and key. */
type Place = readonly [string, string];

const ROOMY = { perKey: 100, perTenant: 100, total: 100 };

describe('createReplayMemory()', () => {
  it('knows an id for its key of its tenant only', async () => {
    const { use } = memoryOf(ROOMY);
    expect(await use('a', 'key', 'id')).toBe('fresh');
    expect(await use('a', 'key', 'id')).toBe('used');
    expect(await use('a', 'other', 'id')).toBe('fresh');
    expect(await use('b', 'key', 'id')).toBe('fresh');
  });

  it('does not take one place for another where names run into each other', async () => {
    const { use } = memoryOf(ROOMY);
    expect(await use('a', 'b","c', 'd')).toBe('fresh');
    expect(await use('a', 'b', 'c","d')).toBe('fresh');
  });

  it('forgets when the time is over, and not a second before', async () => {
    const { use, size } = memoryOf(ROOMY);
    await use('a', 'key', 'id');
    expect(await use('a', 'key', 'id', NOW + 120)).toBe('used');
    expect(await use('a', 'key', 'id', NOW + 121)).toBe('fresh');
    expect(size()).toBe(1);
  });

  it.each<[string, ReplayLimits, Place, Place?]>([
    ['key', { ...ROOMY, perKey: 2 }, ['a', 'key'], ['a', 'other']],
    ['tenant', { ...ROOMY, perTenant: 2 }, ['a', 'other'], ['b', 'key']],
    ['process', { ...ROOMY, total: 2 }, ['b', 'other']],
  ])('refuses what it cannot remember: a full %s', async (_title, limits, full, free) => {
    const { use } = memoryOf(limits);
    for (const id of ['1', '2']) expect(await use('a', 'key', id)).toBe('fresh');
    expect(await use(...full, '3')).toBe('unknown');
    expect(await use('a', 'key', '1')).toBe('used');
    if (free !== undefined) expect(await use(...free, '3')).toBe('fresh');
    expect(await use(...full, '3', NOW + 121)).toBe('fresh');
  });

  it('has room again for each that forgot, however often', async () => {
    const { use, size } = memoryOf({ perKey: 2, perTenant: 2, total: 2 });
    for (let turn = 0; turn < 50; turn += 1) {
      const now = NOW + turn * 121;
      expect(await use('a', 'key', `${turn}-1`, now)).toBe('fresh');
      expect(await use('a', 'key', `${turn}-2`, now)).toBe('fresh');
      expect(await use('a', 'key', `${turn}-3`, now)).toBe('unknown');
    }
    expect(size()).toBe(2);
  });
});
