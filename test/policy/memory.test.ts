// A policy instance lives for months: its memory must not grow with the calls it has judged.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { question, toolCall } from '#test/support/policy-world.ts';

it('keeps its memory bounded over 200,000 changing evaluations', { timeout: 120_000 }, () => {
  const wasm = readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm'));
  const instance = loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS }).instantiate();
  const module = { instantiate: () => instance };
  const engine = createWasmEngine({ module, revision: 'memory', readsArguments: false });
  const asked = question({ call: toolCall('create_issue', { priority: 'low' }) });
  const input = buildPolicyInput(asked, { withArguments: false });
  if (!input.ok) throw new Error(input.error.reason);
  const run = (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      const answer = engine.evaluate({ ...input.value, tenant: `tenant-${index}` });
      if (!answer.ok || !answer.value.allow) throw new Error(`evaluation ${index} failed`);
    }
  };
  run(0, 10_000);
  const early = instance.memoryBytes();
  run(10_000, 200_000);
  expect(instance.memoryBytes()).toBe(early);
});
