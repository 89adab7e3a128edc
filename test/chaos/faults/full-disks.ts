// The disk of a process is full: from now on nothing it writes to a file finds room, while reading goes on. Said to the kernel
// as the largest file the process may write (RLIMIT_FSIZE), which needs no privilege, begins and ends while it runs, and
// fails a write as a full disk does: in the middle, with an error code.

import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Experiment } from '#test/chaos/experiment.ts';
import type { PartName } from '#test/chaos/units.ts';
import type { World } from '#test/chaos/world.ts';

const run = promisify(execFile);

/** Room for a part of the next record: a write that ends in its middle is the worst that a disk does. */
const ROOM_BYTES = 100;

/** @throws one plain line where the program is missing. */
const limitFiles = async (pid: number, bytes: number | 'unlimited'): Promise<void> => {
  try {
    await run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('prlimit fills no disk because it is not there: install util-linux');
    // The process has ended, and its successor has no limit.
  }
};

const largestIn = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((largest, { parentPath, name }) => {
      const bytes = statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0;
      return Math.max(largest, bytes);
    }, 0);

/** `bytes`: size beyond which a file does not grow. */
export const fillDisk = async (pids: readonly number[], bytes: number): Promise<void> => {
  for (const pid of pids) await limitFiles(pid, bytes);
};

export const emptyDisk = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) await limitFiles(pid, 'unlimited');
};

const full = (
  of: string,
  names: readonly PartName[],
  more: Pick<Experiment, 'promise' | 'costs'>,
): Experiment => {
  const each = async (world: World, apply: (pids: readonly number[], name: PartName) => Promise<void>) => {
    for (const name of names) await apply(world.parts[name].pids(), name);
  };
  return {
    name: `full disk of ${of}`,
    ...more,
    touches: names,
    begin: (world) => each(world, (pids) => fillDisk(pids, 0)),
    end: (world) => each(world, (pids) => emptyDisk(pids)),
  };
};

/** The disk runs full in the middle of a record of an audit chain. */
const fullWithin: Experiment = {
  ...full('ext-authz in the middle of a record', ['ext-authz', 'ext-authz-2'], {
    promise: 'refused as audit_unavailable; the chain is whole afterwards',
    costs: 'calls',
  }),
  begin: async ({ places, parts }) => {
    for (const name of ['ext-authz', 'ext-authz-2'] as const) {
      const bytes = largestIn(join(places.stateDirectory, 'audit', name)) + ROOM_BYTES;
      await fillDisk(parts[name].pids(), bytes);
    }
  },
};

export const FULL_DISKS: readonly Experiment[] = [
  full('ext-authz', ['ext-authz', 'ext-authz-2'], {
    promise: 'every call is refused as audit_unavailable, and none passes unrecorded',
    costs: 'calls',
  }),
  fullWithin,
  full('ext-proc', ['ext-proc'], { promise: 'calls go on', costs: 'nothing' }),
  full('xds-server', ['xds-server'], { promise: 'calls go on', costs: 'nothing' }),
  full('the registry', ['registry'], {
    promise: 'calls and writes go on: it keeps nothing there',
    costs: 'nothing',
  }),
];
