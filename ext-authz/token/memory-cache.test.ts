// The bounds of the cache and its purge.

import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { createMemoryCache } from '#ext-authz/token/memory-cache.ts';

const entry = (text: string, owner: string) => ({
  token: new Secret(text),
  expiresAt: 1_000,
  notedAt: 0,
  owner,
});

describe('createMemoryCache()', () => {
  it('drops the least recently used entry past its bound', async () => {
    const cache = createMemoryCache(() => 0, { maxEntries: 2, maxBytes: 1_000 });
    await cache.store('a', entry('A', 'x'));
    await cache.store('b', entry('B', 'x'));
    await cache.find('a');
    await cache.store('c', entry('C', 'x'));
    expect(await cache.find('b')).toBeUndefined();
    expect((await cache.find('a'))?.token.reveal()).toBe('A');
  });

  it('purges every entry of an owner and of nobody else, also after entries were replaced or removed', async () => {
    const cache = createMemoryCache(() => 0);
    await cache.store('a', entry('A', 'alice'));
    await cache.store('a', entry('A2', 'alice'));
    await cache.store('b', entry('B', 'alice'));
    await cache.store('c', entry('C', 'bob'));
    await cache.remove('b');
    await cache.purge('alice');
    expect(await cache.find('a')).toBeUndefined();
    expect((await cache.find('c'))?.token.reveal()).toBe('C');
    await cache.store('a', entry('A3', 'alice'));
    expect((await cache.find('a'))?.token.reveal()).toBe('A3');
  });

  it('keeps nothing that is larger than the whole cache', async () => {
    const cache = createMemoryCache(() => 0, { maxEntries: 10, maxBytes: 1_000 });
    await cache.store('huge', entry('x'.repeat(1_001), 'x'));
    expect(await cache.find('huge')).toBeUndefined();
  });

  it('takes in nothing that was exchanged before its owner was purged', async () => {
    let nowMs = 100_000;
    const cache = createMemoryCache(() => nowMs);
    const begun = { ...entry('old', 'alice'), notedAt: 99.5 };
    await cache.purge('alice');
    nowMs += 300;
    await cache.store('a', begun);
    expect(await cache.find('a')).toBeUndefined();
    await cache.store('a', { ...entry('new', 'alice'), notedAt: 100.1 });
    expect((await cache.find('a'))?.token.reveal()).toBe('new');
  });

  it('is not kept empty by a purge that a wrong clock put into the future', async () => {
    let nowMs = 9_000_000;
    const cache = createMemoryCache(() => nowMs);
    await cache.purge('alice');
    nowMs = 100_000;
    await cache.store('a', { ...entry('new', 'alice'), notedAt: 100 });
    expect(await cache.find('a')).toBeDefined();
  });
});
