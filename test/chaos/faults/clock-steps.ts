// The clock of one machine steps forward or back while everything runs. Our Node processes get a wall clock that a file sets
// (test/support/shifted-clock.ts); timers go by a clock of their own, as on any machine whose time somebody sets.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '#test/chaos/experiment.ts';
import type { Places } from '#test/chaos/places.ts';
import type { PartName } from '#test/chaos/units.ts';
import type { World } from '#test/chaos/world.ts';
import { ROOT } from '#test/support/product-process.ts';

/** More than any tolerance, and less than the time for which the expired tokens of the load have been so. */
const STEP_MS = 10 * 60_000;

const MOVABLE = ['registry', 'xds-server', 'ext-authz', 'ext-authz-2', 'ext-proc'] as const;

const PRELOAD = join(ROOT, 'test', 'support', 'shifted-clock.ts');

const clockFile = ({ directory }: Places, part: PartName): string => join(directory, `clock-${part}`);

/** What parts whose clocks can be set are told. */
export const clockEnvironment = (
  places: Places,
): Readonly<Partial<Record<PartName, Record<string, string>>>> =>
  Object.fromEntries(
    MOVABLE.map((part) => [
      part,
      { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_FILE: clockFile(places, part) },
    ]),
  );

const setClocks = ({ places, parts }: World, names: readonly PartName[], offsetMs: number): void => {
  for (const name of names) {
    writeFileSync(clockFile(places, name), String(offsetMs));
    // The first is the process itself. One that is away starts with the right time.
    for (const pid of parts[name].pids().slice(0, 1)) process.kill(pid, 'SIGUSR2');
  }
};

const step = (of: string, names: readonly PartName[], offsetMs: number): Experiment => ({
  name: `clock of ${of} ten minutes ${offsetMs > 0 ? 'forward' : 'back'}`,
  promise: 'what has a time is judged by that clock, and nothing hangs; right again with the clock',
  // A token whose time has not come is refused, and so is a copy that seems too old.
  costs: of === 'ext-authz' ? 'calls' : 'nothing',
  touches: names,
  begin: async (world) => setClocks(world, names, offsetMs),
  end: async (world) => setClocks(world, names, 0),
});

const both = (of: string, names: readonly PartName[]): readonly Experiment[] => [
  step(of, names, STEP_MS),
  step(of, names, -STEP_MS),
];

export const CLOCK_STEPS: readonly Experiment[] = [
  ...both('ext-authz', ['ext-authz', 'ext-authz-2']),
  ...both('ext-proc', ['ext-proc']),
  ...both('xds-server', ['xds-server']),
  ...both('the registry', ['registry']),
];
