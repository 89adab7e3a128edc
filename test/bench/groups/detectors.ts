// What the built-in detectors cost on 10 KB of text: the slowest text that is made to keep one busy beside the slowest plain
// one, and the slowest single rule on any of them.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type BenchGroup, type Measured, read } from '#test/bench/core/row.ts';

const SCANNER = 'detectors';

export const DETECTORS: BenchGroup = {
  id: 'detectors',
  rows: [
    {
      id: 'detectors-hostile',
      title: 'all detectors on 10 KB, slowest hostile text ÷ slowest plain text',
      needs: [SCANNER],
      unit: 'µs',
      ours: read(SCANNER, 'hostileUs'),
      peer: read(SCANNER, 'plainUs'),
      target: { atMost: 5 },
    },
    {
      id: 'detectors-rule',
      title: 'slowest single rule on any 10 KB text',
      needs: [SCANNER],
      unit: 'µs',
      ours: read(SCANNER, 'ruleUs'),
      target: { atMost: 1_000 },
    },
  ],
  open: async () => {
    const worker = new Worker(new URL('../detector-times.ts', import.meta.url));
    return {
      measure: async () => {
        const answered = once(worker, 'message');
        worker.postMessage('measure');
        const [measured] = (await answered) as [Measured];
        return measured;
      },
      close: async () => {
        await worker.terminate();
      },
    };
  },
};
