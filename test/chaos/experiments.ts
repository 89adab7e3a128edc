// Every experiment there is, in the order in which they run.

import type { Experiment } from '#test/chaos/experiment.ts';
import { PROCESS_FAULTS } from '#test/chaos/process-faults.ts';

export const EXPERIMENTS: readonly Experiment[] = [...PROCESS_FAULTS];

/** Those of `npm run chaos -- --short` and of the suite. */
export const SHORT: readonly string[] = ['kill ext-authz', 'kill redis', 'kill ext-proc', 'kill registry'];
