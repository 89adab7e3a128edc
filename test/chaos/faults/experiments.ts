// Every experiment of this folder, and the world it runs in: one with a proxy on each link and clocks that can be set. Those
// that kill processes run in another one, because a proxy takes connections for a process that is not there.

import type { Experiment } from '#test/chaos/experiment.ts';
import { CLOCK_STEPS, clockEnvironment } from '#test/chaos/faults/clock-steps.ts';
import { FULL_DISKS } from '#test/chaos/faults/full-disks.ts';
import { HOSTILE_CLIENTS } from '#test/chaos/faults/hostile-clients.ts';
import { LINK_FAULTS, openFaultProxy } from '#test/chaos/faults/link-experiments.ts';
import { REGISTRY_CHANGES } from '#test/chaos/faults/registry-changes.ts';
import type { WorldOptions } from '#test/chaos/world.ts';

export const FAULTS: readonly Experiment[] = [
  ...LINK_FAULTS,
  ...FULL_DISKS,
  ...CLOCK_STEPS,
  ...HOSTILE_CLIENTS,
  ...REGISTRY_CHANGES,
];

/** @param seed of what proxies draw. */
export const faultWorld = (seed: number): Pick<WorldOptions, 'openLink' | 'environment'> => ({
  openLink: openFaultProxy(seed),
  environment: clockEnvironment,
});
