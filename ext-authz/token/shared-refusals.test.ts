// Refusals told to other processes: sealed, for their time, and never under another name.

import { describe, expect, it } from 'vitest';
import { deriveSealingKey, sealingKeysOf } from '#core/sealing-key.ts';
import type { RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import { createRefusalSealer, createSharedRefusals } from '#ext-authz/token/shared-refusals.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';

const CLAIMS = '{"access_token":{"acrs":{"value":"c1"}}}';

const STEP_UP: RememberedRefusal = {
  refusal: {
    reason: 'step_up_required',
    scope: 'caller',
    rememberSeconds: 30,
    isTransient: false,
    claims: CLAIMS,
  },
  until: 1_030,
  notedAt: 1_000,
  logFacts: { codes: [50076] },
};

const setUp = () => {
  const clock = { ms: 0 };
  const state = createMemoryState(() => clock.ms);
  const unopened: string[] = [];
  const startProcess = (...seeds: [number, ...number[]]) => {
    const [first, ...others] = seeds;
    const key = (seed: number) => deriveSealingKey(Buffer.alloc(32, seed), 'test');
    const keys = sealingKeysOf([key(first), ...others.map(key)]);
    const ring = { current: () => keys, knowing: () => keys, fault: () => undefined };
    const countUnopened = (fault: string) => void unopened.push(fault);
    return createSharedRefusals(state, createRefusalSealer({ ring, countUnopened }));
  };
  return { clock, state, unopened, startProcess };
};

describe('a refusal that one process shares', () => {
  it('is known to the others until its time is over, under the first of the keys that has one', async () => {
    const { clock, startProcess } = setUp();
    await startProcess(1).share('caller', STEP_UP, 1_000);
    const other = startProcess(1);
    expect(await other.find(['consent', 'caller'], 1_001)).toEqual(STEP_UP);
    expect(await other.find(['consent', 'application'], 1_001)).toBeUndefined();
    expect(await other.find(['caller'], 1_030)).toBeUndefined();
    clock.ms = 30_000;
    expect(await other.find(['caller'], 1_001)).toBeUndefined();
  });

  it('from before a clock was set back is none', async () => {
    const { startProcess } = setUp();
    await startProcess(1).share('caller', STEP_UP, 1_000);
    expect(await startProcess(1).find(['caller'], 500)).toBeUndefined();
  });

  it('whose time is over already is not shared', async () => {
    const { state, startProcess } = setUp();
    await startProcess(1).share('caller', STEP_UP, 1_030);
    expect(await state.read('refusal:caller')).toEqual({ ok: true, value: undefined });
  });

  it('stands sealed where all can read it, and moved to another caller it does not open', async () => {
    const { state, unopened, startProcess } = setUp();
    const refusals = startProcess(1);
    await refusals.share('caller', STEP_UP, 1_000);
    const text = await state.read('refusal:caller');
    const value = text.ok ? (text.value ?? '') : '';
    expect(value + Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/step_up|acrs|50076/);
    await state.write('refusal:other', { value, lifetimeMs: 30_000 });
    expect(await refusals.find(['other'], 1_001)).toBeUndefined();
    expect(unopened).toEqual(['forged']);
  });

  it('is read after the key was rotated, and is none to who has not its key', async () => {
    const { unopened, startProcess } = setUp();
    await startProcess(1).share('caller', STEP_UP, 1_000);
    expect(await startProcess(1, 2).find(['caller'], 1_001)).toEqual(STEP_UP);
    expect(await startProcess(3).find(['caller'], 1_001)).toBeUndefined();
    expect(unopened).toEqual(['key_unknown']);
  });

  it('is none while nothing can be learnt', async () => {
    const { state, startProcess } = setUp();
    await state.stop();
    const refusals = startProcess(1);
    await refusals.share('caller', STEP_UP, 1_000);
    expect(await refusals.find(['caller'], 1_001)).toBeUndefined();
  });
});
