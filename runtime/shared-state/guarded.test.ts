// What a backend that is away costs those who ask, over a backend of our own making.

import { describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createSharedStateMetrics, guardSharedState } from '#runtime/shared-state/guarded.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

const UNAVAILABLE = err('unavailable' as const);

const setUp = () => {
  const world = { nowMs: 0, isAway: false, asked: 0 };
  const memory = createMemoryState(() => world.nowMs);
  const backend: SharedState = {
    ...memory,
    read: async (key) => {
      world.asked += 1;
      return world.isAway ? UNAVAILABLE : memory.read(key);
    },
    write: async (key, entry) => (world.isAway ? UNAVAILABLE : memory.write(key, entry)),
  };
  const metrics = createMetrics('test');
  const guarded = guardSharedState(backend, {
    backend: 'memory',
    metrics: createSharedStateMetrics(metrics),
    nowMs: () => world.nowMs,
    random: () => 0,
  });
  const read = async (times: number) => {
    for (let time = 0; time < times; time += 1) await guarded.read('a');
  };
  return { world, guarded, read, text: async () => (await metrics.render()).body };
};

describe('guardSharedState()', () => {
  it('asks as long as it is answered, and after a single failure', async () => {
    const { world, guarded, read } = setUp();
    await guarded.write('a', { value: 'A', lifetimeMs: 10_000 });
    for (let round = 0; round < 5; round += 1) {
      world.isAway = true;
      await read(2);
      world.isAway = false;
      expect(await guarded.read('a')).toEqual(ok('A'));
    }
    expect(guarded.isUp()).toBe(true);
  });

  it('does not ask a backend that is away, but for one look a pause', async () => {
    const { world, guarded, read } = setUp();
    world.isAway = true;
    await read(3);
    expect([world.asked, guarded.isUp()]).toEqual([3, false]);
    await read(100);
    expect(world.asked).toBe(3);
    world.nowMs += 1_000;
    await read(100);
    expect(world.asked).toBe(4);
  });

  it('answers before it has looked: no call waits for a backend that is away', async () => {
    const { world, guarded, read } = setUp();
    world.isAway = true;
    await read(3);
    world.nowMs += 1_000;
    world.isAway = false;
    expect(await guarded.read('a')).toEqual(UNAVAILABLE);
    await expect.poll(guarded.isUp).toBe(true);
    expect(await guarded.read('a')).toEqual(ok(undefined));
  });

  it('counts what was asked and what was not', async () => {
    const { world, read, text } = setUp();
    await read(2);
    world.isAway = true;
    await read(4);
    const body = await text();
    expect(body).toMatch(/operations_total\{operation="read",outcome="ok",.*\} 2/);
    expect(body).toMatch(/operations_total\{operation="read",outcome="unavailable",.*\} 3/);
    expect(body).toMatch(/operations_total\{operation="read",outcome="skipped",.*\} 1/);
    expect(body).toMatch(/shared_state_up\{backend="memory",.*\} 0/);
  });
});
