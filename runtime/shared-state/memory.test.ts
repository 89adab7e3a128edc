// The contract, and what memory that is full gives up.

import { describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { describeSharedState } from '#test/support/shared-state-contract.ts';

const setUp = (limits?: Partial<NonNullable<Parameters<typeof createMemoryState>[1]>>) => {
  const clock = { nowMs: 0 };
  const all = { maxValues: 1_000, maxCharacters: 1_000_000, maxLeases: 1_000, ...limits };
  return { clock, state: createMemoryState(() => clock.nowMs, all) };
};

describeSharedState('memory', async () => {
  const { clock, state } = setUp();
  return {
    // One process has one of it: a handle ends, and the memory does not.
    open: async () => {
      let isOpen = true;
      const ended = setUp().state;
      await ended.stop();
      const current = () => (isOpen ? state : ended);
      return {
        read: (key) => current().read(key),
        write: (key, entry) => current().write(key, entry),
        remove: (key) => current().remove(key),
        removeOwned: (owner) => current().removeOwned(owner),
        claim: (key, lease) => current().claim(key, lease),
        release: (key, holder) => current().release(key, holder),
        stop: async () => {
          isOpen = false;
        },
      };
    },
    pass: async (ms) => {
      clock.nowMs += ms;
    },
    stop: () => state.stop(),
  };
});

describe('createMemoryState()', () => {
  const entry = (value: string, owner?: string) => ({
    value,
    lifetimeMs: 1_000,
    ...(owner === undefined ? {} : { owner }),
  });

  it('gives up the value that was not used for longest, and forgets who owned it', async () => {
    const { state } = setUp({ maxValues: 2 });
    await state.write('a', entry('A', 'alice'));
    await state.write('b', entry('B', 'alice'));
    await state.read('a');
    await state.write('c', entry('C'));
    expect(await Promise.all(['a', 'b', 'c'].map((key) => state.read(key)))).toEqual([
      ok('A'),
      ok(undefined),
      ok('C'),
    ]);
    await state.write('b', entry('B of nobody'));
    await state.removeOwned('alice');
    expect(await state.read('b')).toEqual(ok('B of nobody'));
  });

  it('is bounded by size, and keeps neither what is larger than all of it nor what that replaced', async () => {
    const { state } = setUp({ maxCharacters: 100 });
    await state.write('a', entry('x'.repeat(60)));
    await state.write('b', entry('x'.repeat(60)));
    expect([await state.read('a'), await state.read('b')]).toEqual([ok(undefined), ok('x'.repeat(60))]);
    await state.write('b', entry('x'.repeat(200), 'alice'));
    expect(await state.read('b')).toEqual(ok(undefined));
    await state.removeOwned('alice');
  });

  it('gives up no lease that is held: full of them it takes none, until one has ended', async () => {
    const { clock, state } = setUp({ maxLeases: 2 });
    const claim = (key: string) => state.claim(key, { holder: 'h', lifetimeMs: 5_000 });
    expect([await claim('a'), await claim('b')]).toEqual([ok(true), ok(true)]);
    expect(await claim('c')).toEqual({ ok: false, error: 'unavailable' });
    expect(await claim('a')).toEqual(ok(false));
    clock.nowMs = 4_999;
    expect(await claim('c')).toEqual({ ok: false, error: 'unavailable' });
    clock.nowMs = 6_000;
    expect([await claim('c'), await claim('d')]).toEqual([ok(true), ok(true)]);
    await state.release('c', 'h');
    expect(await claim('e')).toEqual(ok(true));
  });

  it('has room again for every lease that has ended, however many there were', async () => {
    const { clock, state } = setUp({ maxLeases: 1_000 });
    for (let round = 0; round < 50; round += 1) {
      clock.nowMs += 1_001;
      for (let index = 0; index < 900; index += 1)
        expect(await state.claim(`${round} ${index}`, { holder: 'h', lifetimeMs: 1_000 })).toEqual(ok(true));
    }
  });
});
