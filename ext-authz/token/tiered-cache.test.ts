// Two processes' caches over one shared state, in memory and sealed as elsewhere. The same on Redis, and its bad days, are
// in test/integration.

import { beforeEach, describe, expect, it } from 'vitest';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { Secret } from '#core/secret.ts';
import { createLocalTokens } from '#ext-authz/token/local-tokens.ts';
import { createEntrySealer } from '#ext-authz/token/sealed-entry.ts';
import { createSharedTokens } from '#ext-authz/token/shared-tokens.ts';
import { createTieredCache, TRUST_MS } from '#ext-authz/token/tiered-cache.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { deriveTokenCacheKey } from '#runtime/token-cache-keys.ts';

const START_MS = 1_800_000_000_000;
const keys = sealingKeysOf([deriveTokenCacheKey(new Uint8Array(32).fill(7))]);
const ring = { current: () => keys, knowing: () => keys, fault: () => undefined };

const setUp = () => {
  const world = { nowMs: START_MS, isAway: false, reads: 0, texts: new Map<string, string>() };
  const memory = createMemoryState(() => world.nowMs);
  const whenThere =
    <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A) =>
      world.isAway ? ({ ok: false, error: 'unavailable' } as R) : work(...given);
  const state: SharedState = {
    ...memory,
    read: whenThere((key) => {
      world.reads += 1;
      return memory.read(key);
    }),
    write: whenThere((key, entry) => {
      world.texts.set(key, entry.value);
      return memory.write(key, entry);
    }),
    removeOwned: whenThere(memory.removeOwned),
  };
  const faults: string[] = [];
  const nowMs = () => world.nowMs;
  const open = (apartMs = 0) => {
    const clock = () => nowMs() + apartMs;
    const sealer = createEntrySealer({ ring, countUnopened: (fault) => faults.push(fault) });
    const shared = createSharedTokens({ state, sealer, nowMs: clock });
    return createTieredCache({ local: createLocalTokens(clock), shared, nowMs: clock });
  };
  return { world, memory, faults, open };
};

let fleet: ReturnType<typeof setUp>;
beforeEach(() => {
  fleet = setUp();
});

const token = (text: string, owner = 'alice', notedAt = fleet.world.nowMs / 1_000) => ({
  token: new Secret(text),
  notedAt,
  expiresAt: notedAt + 3_600,
  owner,
});

const textOf = async (found: Promise<{ readonly token: Secret; readonly tier: string } | undefined>) => {
  const value = await found;
  return value === undefined ? undefined : `${value.token.reveal()} of ${value.tier}`;
};

describe('createTieredCache()', () => {
  it('finds what another process stored, and then has it itself', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    expect(await textOf(one.find('k'))).toBe('A of memory');
    expect(await textOf(two.find('k'))).toBe('A of shared');
    expect(await textOf(two.find('k'))).toBe('A of memory');
  });

  it('shares nothing that can be read', async () => {
    await fleet.open().store('k', token('a-token-in-clear', 'alice'));
    expect([...fleet.world.texts].join()).not.toMatch(/a-token-in-clear/);
    expect(fleet.world.texts.size).toBe(1);
  });

  it('asks nobody for what it has, until it has trusted it long enough', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    fleet.world.nowMs += 1_000;
    await two.store('k', token('B'));
    fleet.world.reads = 0;
    fleet.world.nowMs += TRUST_MS - 1_001;
    expect(await textOf(one.find('k'))).toBe('A of memory');
    expect(fleet.world.reads).toBe(0);
    fleet.world.nowMs += 1;
    expect(await textOf(one.find('k'))).toBe('B of shared');
  });

  it('finds the newest where it is asked for, and keeps it', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    fleet.world.nowMs += 1_000;
    await two.store('k', token('B'));
    expect(await textOf(one.findNewest('k'))).toBe('B of shared');
    expect(await textOf(one.find('k'))).toBe('B of memory');
    expect(await textOf(one.findNewest('k'))).toBe('B of memory');
  });

  it('looks after a copy that a clock set back has put into the future', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    await two.purge('alice');
    fleet.world.nowMs -= 3_000;
    expect(await one.find('k')).toBeUndefined();
  });

  it.each([
    ['taken from another key', (_text: string, other: string) => other],
    ['changed', (text: string) => `${text.slice(0, -4)}AAAA`],
    ['cut off', (text: string) => text.slice(0, 20)],
    ['made up', () => 'x'.repeat(500)],
    ['a mark of nothing', () => '!'],
  ])('does not take what was %s', async (_what, tamper) => {
    const one = fleet.open();
    await one.store('k', token('A', 'alice'));
    await one.store('other', token('B', 'bob'));
    const stored = fleet.world.texts.get('token:k') ?? '';
    const value = tamper(stored, fleet.world.texts.get('token:other') ?? '');
    await fleet.memory.write('token:k', { value, lifetimeMs: 10_000 });
    expect(await fleet.open().find('k')).toBeUndefined();
    expect(await textOf(fleet.open().find('other'))).toBe('B of shared');
  });
});

describe('purge()', () => {
  it('drops the tokens of an owner in both tiers, and nobody else’s', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A', 'alice'));
    await one.store('b', token('B', 'bob'));
    await one.purge('alice');
    expect(await one.find('k')).toBeUndefined();
    expect(await two.find('k')).toBeUndefined();
    expect(await textOf(two.find('b'))).toBe('B of shared');
  });

  it('reaches another process’s copies once it looks after them', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    await two.find('k');
    fleet.world.nowMs += 1_000;
    await one.purge('alice');
    fleet.world.nowMs += TRUST_MS;
    expect(await two.find('k')).toBeUndefined();
    expect(await fleet.open().find('k')).toBeUndefined();
  });

  it('lets no token back in whose exchange was under way, here or in another process', async () => {
    for (const apartMs of [0, 1_500, -1_500]) {
      fleet = setUp();
      const [one, two] = [fleet.open(), fleet.open(apartMs)];
      const here = token('here');
      const there = token('there', 'alice', (fleet.world.nowMs + apartMs) / 1_000);
      fleet.world.nowMs += 200;
      await one.purge('alice');
      fleet.world.nowMs += 200;
      await one.store('here', here);
      await two.store('there', there);
      for (const cache of [one, two, fleet.open()])
        for (const key of ['here', 'there']) expect(await cache.find(key)).toBeUndefined();
    }
  });

  it('is followed by new tokens as ever', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.purge('alice');
    fleet.world.nowMs += 3_000;
    await one.store('k', token('new'));
    expect(await textOf(two.find('k'))).toBe('new of shared');
    fleet.world.nowMs += TRUST_MS;
    expect(await textOf(two.find('k'))).toBe('new of memory');
  });

  it('is made up for when shared state was away', async () => {
    const one = fleet.open();
    await one.store('k', token('A'));
    await one.store('b', token('B', 'bob'));
    fleet.world.nowMs += 1_000;
    fleet.world.isAway = true;
    await one.purge('alice');
    fleet.world.isAway = false;
    expect(await textOf(fleet.open().find('k'))).toBe('A of shared');
    expect(await one.find('k')).toBeUndefined();
    await expect.poll(() => fleet.open().find('k')).toBeUndefined();
    expect(await textOf(fleet.open().find('b'))).toBe('B of shared');
  });
});

describe('remove()', () => {
  it('reaches another process’s copies, which do not bring the token back', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    await two.find('k');
    fleet.world.nowMs += 1_000;
    await one.remove('k');
    fleet.world.nowMs += TRUST_MS;
    expect(await two.find('k')).toBeUndefined();
    expect(await fleet.open().find('k')).toBeUndefined();
  });

  it('is followed by new tokens as ever', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    await one.remove('k');
    fleet.world.nowMs += 1_000;
    await one.store('k', token('B'));
    expect(await textOf(two.find('k'))).toBe('B of shared');
  });
});

describe('shared state that is away', () => {
  it('leaves the copies in use, and what came meanwhile is shared later', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    fleet.world.isAway = true;
    fleet.world.nowMs += 2 * TRUST_MS;
    expect(await textOf(one.find('k'))).toBe('A of memory');
    await one.store('n', token('N'));
    expect(await textOf(one.find('n'))).toBe('N of memory');
    fleet.world.isAway = false;
    expect(await two.find('n')).toBeUndefined();
    fleet.world.nowMs += TRUST_MS;
    expect(await textOf(one.find('n'))).toBe('N of memory');
    await expect.poll(() => textOf(two.find('n'))).toBe('N of shared');
  });

  it('that was emptied gets back what each process has, without an exchange', async () => {
    const [one, two] = [fleet.open(), fleet.open()];
    await one.store('k', token('A'));
    await fleet.memory.removeOwned('alice');
    expect(await two.find('k')).toBeUndefined();
    fleet.world.nowMs += TRUST_MS;
    expect(await textOf(one.find('k'))).toBe('A of memory');
    await expect.poll(() => textOf(two.find('k'))).toBe('A of shared');
  });
});
