// Unit tests of key-set.ts: floods, outages and rotations under a clock of our own.
import { beforeEach, describe, expect, it } from 'vitest';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { createKeySet, type KeySet, type StoredKeySet } from '#ext-authz/identity/key-set.ts';
import { type KeySetDocument, parseKeySet } from '#ext-authz/identity/key-set-document.ts';
import { createTestKey, publishKey } from '#test/support/token-issuer.ts';

const a = createTestKey('a');
const b = createTestKey('b');

const documentOf = (...keys: object[]): KeySetDocument => {
  const parsed = parseKeySet(JSON.stringify({ keys }));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const hint = (kid: string): TokenHint => ({ algorithm: 'RS256', iss: 'https://idp.example', kid });

const DISK: StoredKeySet = { document: documentOf(publishKey(a)), fetchedAtMs: 1 };

let world: { nowMs: number; fetches: number; published: KeySetDocument | undefined; saved: number };

beforeEach(() => {
  world = { nowMs: 1_000_000, fetches: 0, published: documentOf(publishKey(a)), saved: 0 };
});

const create = (disk?: StoredKeySet): KeySet =>
  createKeySet({
    fetchDocument: async () => {
      world.fetches += 1;
      const { published } = world;
      await new Promise((resolve) => setImmediate(resolve));
      if (published === undefined) throw new Error('down');
      return published;
    },
    loadStored: async () => disk,
    onFetched: async () => {
      world.saved += 1;
    },
    nowMs: () => world.nowMs,
    random: () => 0.5,
  });

const findingOf = async (set: KeySet, kid: string) => (await set.find(hint(kid))).kind;

const flood = async (set: KeySet, count: number): Promise<Set<string>> =>
  new Set(await Promise.all(Array.from({ length: count }, (_, i) => findingOf(set, `unknown-${i}`))));

describe('createKeySet()', () => {
  it('lets all first callers share one fetch', async () => {
    const set = create();
    const findings = await Promise.all(Array.from({ length: 100 }, () => findingOf(set, 'a')));
    expect(new Set(findings)).toEqual(new Set(['found']));
    expect(world.fetches).toBe(1);
    expect(world.saved).toBe(1);
  });

  it('asks the provider at most twice for a thousand unknown key ids', async () => {
    const set = create();
    await findingOf(set, 'a');
    world.nowMs += 31_000;
    expect(await flood(set, 1_000)).toEqual(new Set(['unknown']));
    expect(world.fetches).toBe(2);
    for (let i = 0; i < 100; i += 1) await findingOf(set, `again-${i}`);
    expect(world.fetches).toBe(2);
    world.nowMs += 31_000;
    await flood(set, 10);
    expect(world.fetches).toBe(3);
  });

  it('finds a key that was rotated in, once the cool-down is over', async () => {
    const set = create();
    await findingOf(set, 'a');
    world.published = documentOf(publishKey(b));
    world.nowMs += 10_000;
    expect(await findingOf(set, 'b')).toBe('unknown');
    world.nowMs += 21_000;
    expect(await findingOf(set, 'b')).toBe('found');
    expect(await findingOf(set, 'a')).toBe('unknown');
  });

  it('keeps known keys through an outage, however long', async () => {
    const set = create();
    await findingOf(set, 'a');
    world.published = undefined;
    for (let hour = 0; hour < 100; hour += 1) {
      world.nowMs += 3_600_000;
      await set.refreshIfDue();
      expect(await findingOf(set, 'a')).toBe('found');
    }
    expect(set.current()?.fetchedAtMs).toBe(1_000_000);
  });

  it('backs off from a provider that fails, instead of asking for every token', async () => {
    world.published = undefined;
    const set = create();
    expect(await flood(set, 100)).toEqual(new Set(['unavailable']));
    expect(world.fetches).toBe(1);
    for (let second = 0; second < 600; second += 1) {
      world.nowMs += 1_000;
      await set.refreshIfDue();
      await findingOf(set, 'a');
    }
    // 1, 2, 4 … 60 s: six steps, then one a minute.
    expect(world.fetches).toBeLessThan(20);
    world.published = documentOf(publishKey(a));
    world.nowMs += 61_000;
    expect(await findingOf(set, 'a')).toBe('found');
  });

  it('answers an unknown key at once while the provider is down and other keys are known', async () => {
    const set = create();
    await findingOf(set, 'a');
    world.published = undefined;
    world.nowMs += 31_000;
    expect(await flood(set, 100)).toEqual(new Set(['unknown']));
    expect(world.fetches).toBe(2);
  });

  it('starts from the copy on disk and confirms it in the background', async () => {
    const set = create(DISK);
    expect(await findingOf(set, 'a')).toBe('found');
    expect(world.fetches).toBe(0);
    await set.refreshIfDue();
    expect(world.fetches).toBe(1);
    expect(set.current()?.fetchedAtMs).toBe(world.nowMs);
  });

  it('serves from the copy on disk where the provider is down from the start', async () => {
    world.published = undefined;
    const set = create(DISK);
    await set.refreshIfDue();
    expect(await findingOf(set, 'a')).toBe('found');
    expect(set.current()).toBe(DISK);
  });

  it('refreshes in the background about every quarter of an hour, and not before', async () => {
    const set = create();
    await set.refreshIfDue();
    world.nowMs += 14 * 60_000;
    await set.refreshIfDue();
    expect(world.fetches).toBe(1);
    world.nowMs += 60_000;
    await set.refreshIfDue();
    expect(world.fetches).toBe(2);
  });

  it('goes on when the clock is set back: it asks once, and then in its own time', async () => {
    const set = create();
    await findingOf(set, 'a');
    world.nowMs -= 3_600_000;
    world.published = documentOf(publishKey(b));
    expect(await findingOf(set, 'b')).toBe('found');
    await flood(set, 100);
    await set.refreshIfDue();
    expect(world.fetches).toBe(2);
  });

  it('does not ask the provider about a token without kid that no key fits', async () => {
    world.published = documentOf(publishKey(a), publishKey(b));
    const set = create();
    await set.refreshIfDue();
    world.nowMs += 60_000;
    const anonymous: TokenHint = { algorithm: 'RS256', iss: 'https://idp.example' };
    expect((await set.find(anonymous)).kind).toBe('unknown');
    expect(world.fetches).toBe(1);
  });
});
