import { describe, expect, it } from 'vitest';
import { createByteStore } from '#ext-proc/framing/byte-store.ts';

describe('createByteStore', () => {
  it('gives back what was added, once', () => {
    const store = createByteStore();
    for (const part of ['a', '', 'bc', 'defgh']) store.add(Buffer.from(part));
    expect(store.size()).toBe(8);
    expect(String(store.take())).toBe('abcdefgh');
    expect([store.size(), store.take().length]).toEqual([0, 0]);
  });

  it('leaves what it gave away alone, and holds on to no chunk', () => {
    const store = createByteStore();
    const chunk = Buffer.from('first');
    store.add(chunk);
    chunk.fill(0);
    const taken = store.take();
    store.add(Buffer.from('other'));
    expect(String(taken)).toBe('first');
  });

  it('needs little more room than bytes, however small the chunks', () => {
    const store = createByteStore();
    for (let count = 0; count < 1_000_000; count += 1) store.add(Buffer.from([count]));
    expect(store.size()).toBe(1_000_000);
    expect(store.take().buffer.byteLength).toBeLessThan(2_000_000);
  });
});
