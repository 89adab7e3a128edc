// A proof is taken once over all processes, and what is said of it while they cannot be asked.

import { describe, expect, it } from 'vitest';
import { createReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import { createSharedReplayMemory, openReplayMemory } from '#ext-authz/identity/shared-dpop-replay.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';

const proof = (jti: string) => ({ tenantId: 't', jkt: 'key', jti });
const at = (nowSeconds: number) => ({ nowSeconds, windowSeconds: 120 });

const setUp = () => {
  const clock = { nowMs: 0 };
  const shared = createMemoryState(() => clock.nowMs);
  const open = (limits?: Parameters<typeof createReplayMemory>[0]) =>
    createSharedReplayMemory({ local: createReplayMemory(limits), shared, holder: 'process' });
  return { clock, shared, open };
};

describe('createSharedReplayMemory()', () => {
  it('takes a proof at one of several processes, and others at each', async () => {
    const { open } = setUp();
    const processes = [open(), open(), open()];
    const findings = await Promise.all(processes.map((one) => one.use(proof('1'), at(0))));
    expect(findings.toSorted()).toEqual(['fresh', 'used', 'used']);
    expect(await processes[1]?.use(proof('2'), at(0))).toBe('fresh');
    expect(await processes[2]?.use({ ...proof('1'), tenantId: 'other' }, at(0))).toBe('fresh');
  });

  it('knows a proof for as long as it passes at a process whose clock is behind', async () => {
    const { clock, open } = setUp();
    const [one, slow] = [open(), open()];
    expect(await one.use(proof('1'), at(1_000))).toBe('fresh');
    clock.nowMs = 149_000;
    expect(await slow.use(proof('1'), at(1_119))).toBe('used');
  });

  it('says of a proof that it is fresh here and no more while the others cannot be asked', async () => {
    const { shared, open } = setUp();
    const one = open();
    await shared.stop();
    expect(await one.use(proof('1'), at(0))).toBe('fresh_here');
    expect(await one.use(proof('1'), at(0))).toBe('used');
  });

  it('asks the others nothing for what it has no room for', async () => {
    const { open } = setUp();
    const [full, other] = [open({ perKey: 1, perTenant: 1, total: 1 }), open()];
    await full.use(proof('1'), at(0));
    expect(await full.use(proof('2'), at(0))).toBe('unknown');
    expect(await other.use(proof('2'), at(0))).toBe('fresh');
  });
});

describe('openReplayMemory()', () => {
  it.each([
    [true, 'used'],
    [false, 'fresh'],
  ])('asks the other processes where there are any: %s', async (isShared, finding) => {
    const { shared: state } = setUp();
    const [one, other] = [
      openReplayMemory({ state, isShared }, 'a'),
      openReplayMemory({ state, isShared }, 'b'),
    ];
    expect([await one.use(proof('1'), at(0)), await other.use(proof('1'), at(0))]).toEqual([
      'fresh',
      finding,
    ]);
  });
});
