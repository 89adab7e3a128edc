// One evaluation of the platform's policy, where it is asked: ours from the input as an object to the decision that was read
// back, in a thread of its own; OPA's from the bytes of the same input to its decision, in a process of its own.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type BenchGroup, type GroupSettings, type Measured, read, secondsOf } from '#test/bench/core/row.ts';
import { evaluationInputs } from '#test/bench/evaluation-inputs.ts';
import { measureOpa } from '#test/bench/peers/peers.ts';

const OURS = 'WASM';
const OPA = 'OPA-Go in process';

const openEvaluation = async (settings: GroupSettings) => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-policy-'));
  const file = join(directory, 'inputs');
  const lines = evaluationInputs().map((input) => `${JSON.stringify(input)}\n`);
  await writeFile(file, lines.join(''));
  const worker = new Worker(new URL('../evaluation-times.ts', import.meta.url));
  const measureOurs = async (seconds: number): Promise<Measured> => {
    worker.postMessage(seconds);
    const [measured] = (await once(worker, 'message')) as [Measured];
    return measured;
  };
  return {
    measure: async (contender: string, round: number): Promise<Measured> => {
      const seconds = secondsOf(round, settings);
      if (contender === OURS) return measureOurs(seconds);
      const { sent, allowed, p50Us } = await measureOpa(file, seconds);
      if (sent === 0 || allowed !== sent) throw new Error(`OPA-Go allowed ${allowed} of ${sent} inputs`);
      return { p50Us };
    },
    close: async () => {
      await worker.terminate();
      await rm(directory, { recursive: true, force: true });
    },
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
