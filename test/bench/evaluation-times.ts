// The thread in which our engine is timed, as OPA's is in a process of its own: in the thread of the harness, after other
// groups, the same evaluation takes a fifth longer.

import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { ENTRYPOINTS } from '#runtime/policy/policy-thread.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import type { Measured } from '#test/bench/core/row.ts';
import { spreadOf } from '#test/bench/core/spread.ts';
import { evaluationInputs } from '#test/bench/evaluation-inputs.ts';

const MICROSECONDS = 1_000;

const given = evaluationInputs();
const wasm = await readFile(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm'));
const module = loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS });
const engine = createWasmEngine({ module, revision: 'bench', readsArguments: false });

const measure = (seconds: number): Measured => {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  for (let startedAt = performance.now(); startedAt < end; startedAt = performance.now()) {
    const answer = engine.evaluate(given[times.length % given.length] as PolicyInput);
    times.push((performance.now() - startedAt) * MICROSECONDS);
    if (!answer.ok || !answer.value.allow)
      throw new Error('the policy refused what it is to allow; its speed says nothing');
  }
  return { p50Us: spreadOf(times).median };
};

parentPort?.on('message', (seconds: number) => parentPort?.postMessage(measure(seconds)));
