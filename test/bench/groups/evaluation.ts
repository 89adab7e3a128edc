// One evaluation of the platform's policy, in the process that asks: ours from the input as an object to the decision that
// was read back, OPA's from the bytes of the same input to its decision.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { buildPolicyInput, type PolicyInput } from '#ext-authz/policy/input.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { ENTRYPOINTS } from '#runtime/policy/policy-thread.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { type BenchGroup, type GroupSettings, type Measured, read, secondsOf } from '#test/bench/core/row.ts';
import { spreadOf } from '#test/bench/core/spread.ts';
import { measureOpa } from '#test/bench/peers/peers.ts';
import { question, toolCall } from '#test/support/policy-world.ts';

const OURS = 'WASM';
const OPA = 'OPA-Go in process';

/** Inputs that differ, so that nothing is remembered. */
const INPUTS = 500;

/** A caller of one group, one grant, one limit on an argument: some 700 bytes. */
const inputs = (): readonly PolicyInput[] => {
  const built = buildPolicyInput(question({ call: toolCall('create_issue', { priority: 'low' }) }), {
    withArguments: false,
  });
  if (!built.ok) throw new Error(`no policy input: ${built.error.reason}`);
  return Array.from({ length: INPUTS }, (_, index) => ({ ...built.value, tenant: `tenant-${index}` }));
};

const MICROSECONDS = 1_000;

const measureOurs = async (given: readonly PolicyInput[]): Promise<(seconds: number) => Measured> => {
  const wasm = await readFile(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm'));
  const module = loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS });
  const engine = createWasmEngine({ module, revision: 'bench', readsArguments: false });
  return (seconds) => {
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
};

const openEvaluation = async (settings: GroupSettings) => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-policy-'));
  const file = join(directory, 'inputs');
  const given = inputs();
  await writeFile(file, given.map((input) => `${JSON.stringify(input)}\n`).join(''));
  const ours = await measureOurs(given);
  return {
    measure: async (contender: string, round: number): Promise<Measured> => {
      const seconds = secondsOf(round, settings);
      if (contender === OURS) return ours(seconds);
      const { sent, allowed, p50Us } = await measureOpa(file, seconds);
      if (sent === 0 || allowed !== sent) throw new Error(`OPA-Go allowed ${allowed} of ${sent} inputs`);
      return { p50Us };
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
};

export const EVALUATION: BenchGroup = {
  id: 'evaluation',
  rows: [
    {
      id: 'evaluation-opa',
      title: 'p50 of a policy evaluation, lean input ÷ OPA-Go in process',
      needs: [OURS, OPA],
      unit: 'µs',
      ours: read(OURS, 'p50Us'),
      peer: read(OPA, 'p50Us'),
      target: { atMost: 0.1 },
    },
  ],
  open: openEvaluation,
};
