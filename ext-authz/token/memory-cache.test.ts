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
    const cache = createMemoryCache(2);
    await cache.store('a', entry('A', 'x'));
    await cache.store('b', entry('B', 'x'));
    await cache.find('a');
    await cache.store('c', entry('C', 'x'));
    expect(await cache.find('b')).toBeUndefined();
    expect((await cache.find('a'))?.token.reveal()).toBe('A');
  });

  it('purges every entry of an owner and of nobody else, also after entries were replaced or removed', async () => {
    const cache = createMemoryCache();
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
    const cache = createMemoryCache();
    await cache.store('huge', entry('x'.repeat(70 * 1024 * 1024), 'x'));
    expect(await cache.find('huge')).toBeUndefined();
  });
});
