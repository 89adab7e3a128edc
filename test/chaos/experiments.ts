// Every experiment there is, in the order in which they run, and the world each runs in.

import type { Experiment } from '#test/chaos/experiment.ts';
import { FAULTS, faultWorld } from '#test/chaos/faults/experiments.ts';
import { PROCESS_FAULTS } from '#test/chaos/process-faults.ts';
import type { WorldOptions } from '#test/chaos/world.ts';

export const EXPERIMENTS: readonly Experiment[] = [...PROCESS_FAULTS, ...FAULTS];

export type Group = {
  readonly world: Pick<WorldOptions, 'openLink' | 'environment'>;
  readonly experiments: readonly Experiment[];
};

/** Those that share a world. A proxy takes connections for a process that is not there, so who kills needs a world without. */
export const groupsOf = (seed: number): readonly Group[] => [
  { world: {}, experiments: PROCESS_FAULTS },
  { world: faultWorld(seed), experiments: FAULTS },
];

/** Those of `npm run chaos -- --short` and of the suite. */
export const SHORT: readonly string[] = ['kill ext-authz', 'kill redis', 'kill ext-proc', 'kill registry'];
