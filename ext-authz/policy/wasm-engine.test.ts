// The engine over the compiled default policy, and over instances that misbehave in every way one can.

import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import type { PolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule, type PolicyInstance, type PolicyModule } from '#runtime/policy/wasm-module.ts';
import { question, toolCall } from '#test/support/policy-world.ts';

const WASM = readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm'));
const LIST = [{ result: { allow: true, obligations: {}, explain: [] } }];

const realModule = () => loadPolicyModule(WASM, { data: {}, entrypoints: ENTRYPOINTS });

const inputOf = (changes = {}) => {
  const built = buildPolicyInput(question(changes), { withArguments: false });
  if (!built.ok) throw new Error(built.error.reason);
  return built.value;
};

const countingMetrics = () => {
  const seen: string[] = [];
  const metrics: PolicyMetrics = {
    evaluated: (entrypoint, outcome) => void seen.push(`${entrypoint} ${outcome}`),
    rebuilt: (cause) => void seen.push(`rebuilt ${cause}`),
    memory: () => undefined,
    loaded: (outcome) => void seen.push(`loaded ${outcome}`),
  };
  return { seen, metrics };
};

/** A module whose instances answer with `evaluate` and pretend to have grown to `bytes`. */
const fakeModule = (evaluate: PolicyInstance['evaluate'], bytes = 0) => {
  const instantiate = vi.fn(() => ({ evaluate, memoryBytes: () => bytes }));
  return { instantiate } satisfies PolicyModule;
};

const engineOver = (module: PolicyModule, changes = {}) =>
  createWasmEngine({ module, revision: 'test', readsArguments: false, ...changes });

describe('createWasmEngine', () => {
  it('answers a call and a list', () => {
    const engine = engineOver(realModule());
    expect(engine.evaluate(inputOf())).toMatchObject({ ok: true, value: { allow: true } });
    expect(engine.visible(inputOf())).toMatchObject({ ok: true, value: { tools: { all: false } } });
  });

  it('answers alike with an instance it made anew', () => {
    const engine = engineOver(realModule(), { rebuildAboveBytes: 1 });
    expect(engine.evaluate(inputOf())).toEqual(engine.evaluate(inputOf()));
  });

  it.each<[string, PolicyInstance['evaluate']]>([
    ['is undefined', () => []],
    ['has two results', () => [...LIST, ...LIST]],
    ['has an unknown shape', () => [{ result: { allow: 'yes' } }]],
    [
      'is a string thrown by the module',
      () => {
        throw 'opa_abort';
      },
    ],
    [
      'is an error',
      () => {
        throw new RangeError('memory');
      },
    ],
    [
      'is a thrown nothing',
      () => {
        throw undefined;
      },
    ],
  ])('refuses with policy_failed when the answer %s', (_title, evaluate) => {
    const engine = engineOver(fakeModule(evaluate));
    expect(engine.evaluate(inputOf())).toMatchObject({ ok: false, error: { reason: 'policy_failed' } });
    expect(engine.visible(inputOf())).toMatchObject({ ok: false, error: { reason: 'policy_failed' } });
  });

  it('tells the log what failed and which policy, and the client nothing', () => {
    const answer = engineOver(fakeModule(() => [])).evaluate(inputOf());
    expect(answer).toMatchObject({ error: { publicFacts: {}, logFacts: { policy: 'test' } } });
  });

  it('never uses an instance again that threw', () => {
    const { seen, metrics } = countingMetrics();
    let calls = 0;
    const module = fakeModule(() => {
      calls += 1;
      if (calls === 1) throw 'opa_abort';
      return LIST;
    });
    const engine = engineOver(module, { metrics });
    expect(engine.evaluate(inputOf()).ok).toBe(false);
    expect(engine.evaluate(inputOf()).ok).toBe(true);
    expect(module.instantiate).toHaveBeenCalledTimes(2);
    expect(seen).toEqual(['rebuilt failure', 'decision failed', 'decision answered']);
  });

  it('refuses, and tries again with the next call, when no new instance can be made', () => {
    let broken = false;
    const good = { evaluate: () => LIST, memoryBytes: () => 0 };
    const module: PolicyModule = {
      instantiate: () => {
        if (broken) throw new RangeError('out of memory');
        return good;
      },
    };
    const engine = engineOver(module, { rebuildAboveBytes: -1 });
    expect(engine.evaluate(inputOf()).ok).toBe(true);
    broken = true;
    expect(engine.evaluate(inputOf())).toMatchObject({ error: { reason: 'policy_failed' } });
    broken = false;
    expect(engine.evaluate(inputOf()).ok).toBe(true);
  });

  it('replaces an instance that has grown past the threshold', () => {
    const module = fakeModule(() => LIST, 100);
    const engine = engineOver(module, { rebuildAboveBytes: 99 });
    engine.evaluate(inputOf());
    engine.evaluate(inputOf());
    expect(module.instantiate).toHaveBeenCalledTimes(2);
  });

  it('refuses an input over the cap without asking the policy', () => {
    const evaluate = vi.fn(() => LIST);
    const call = toolCall('create_issue', { priority: 'x'.repeat(300_000) });
    const answer = engineOver(fakeModule(evaluate)).evaluate(inputOf({ call }));
    expect(answer).toMatchObject({ error: { reason: 'policy_failed' } });
    expect(evaluate).not.toHaveBeenCalled();
  });
});

describe('loadPolicyModule', () => {
  it.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array()],
    ['a truncated module', WASM.subarray(0, 1000)],
    ['text', Buffer.from('package mcp.authz')],
    // The smallest valid module: it is WebAssembly and no policy.
    ['a module that is no policy', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ])('refuses %s', (_title, wasm) => {
    // opa-wasm also prints what it misses in a module.
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    expect(() => loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS })).toThrowError(
      expect.objectContaining({ code: 'policy_failed' }),
    );
  });

  it('refuses a policy that lacks an entrypoint', () => {
    expect(() => loadPolicyModule(WASM, { data: {}, entrypoints: ['mcp/authz/other'] })).toThrowError(
      expect.objectContaining({ code: 'policy_failed' }),
    );
  });
});
