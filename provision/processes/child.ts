// One running program: started in a process group of its own, so that a Ctrl-C in the terminal reaches the supervisor
// only and the order of stopping stays its own, and so that nothing it started outlives it.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { openLog } from '#provision/processes/log-file.ts';
import type { Environment } from '#runtime/config.ts';

export type ChildSettings = {
  readonly root: string;
  readonly script: string;
  readonly environment: Environment;
  readonly logFile: string;
};

export type Child = {
  readonly pid: number | undefined;
  /** Resolves to how it ended, e.g. `code 1` or `SIGKILL`; whatever it had started is gone by then. */
  readonly ended: Promise<string>;
  /** Asks it to end and makes it after `stopMs`. */
  stop(stopMs: number): Promise<void>;
  /** Ends it and everything it started, now. */
  kill(): void;
};

const killGroup = (process_: ChildProcess): void => {
  if (process_.pid === undefined) return;
  try {
    process.kill(-process_.pid, 'SIGKILL');
  } catch {
    // The group is empty: all of it has ended already.
  }
};

const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string => signal ?? `code ${code}`;

/** Half of what new objects have, in every service: V8 lets it grow with traffic, and it stays resident (decision 060). */
const SEMI_SPACE_MIB = 8;

/** What every service is started with, here and where it is measured. */
export const NODE_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  `--max-semi-space-size=${SEMI_SPACE_MIB}`,
];

/** Starts the program on this very Node. */
export const startChild = (settings: ChildSettings): Child => {
  const { root, script, environment, logFile } = settings;
  const log = openLog(logFile);
  const watch = join(root, 'provision', 'parent-watch.mjs');
  const child = spawn(process.execPath, [...NODE_OPTIONS, '--import', watch, join(root, script)], {
    cwd: root,
    detached: true,
    env: { ...environment, MCPGW_PARENT_PID: String(process.pid), MCPGW_OWN_GROUP: 'true' },
    stdio: ['ignore', log.descriptor, log.descriptor],
  });
  log.close();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      killGroup(child);
      resolve(describeEnd(code, signal));
    });
  });
  return {
    pid: child.pid,
    ended,
    stop: async (stopMs) => {
      child.kill('SIGTERM');
      const force = setTimeout(() => killGroup(child), stopMs);
      await ended;
      clearTimeout(force);
    },
    kill: () => killGroup(child),
  };
};
