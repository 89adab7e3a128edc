// The response guard as a process of its own, on the feed of a registry that the test writes.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { createFeedDouble } from '#test/support/feed-double.ts';
import { until } from '#test/support/xds-gateway.ts';

export type GuardProcess = {
  /** For `startGuardBench`. */
  readonly start: (socketPath: string, directory: string) => Promise<() => Promise<void>>;
  /** Of the snapshot that it holds. */
  sequence(): number;
  child(): ChildProcess;
  /** Resident memory, bytes. */
  residentBytes(): Promise<number>;
  /** The sum of a metric over its labels. */
  metric(name: string): Promise<number>;
};

/**
 * @param settings of the tenant.
 * @param flags of Node.
 * @param tools pinned in the version of the tenant's server.
 */
export const createGuardProcess = (
  settings: Partial<Tenant> = {},
  flags: readonly string[] = [],
  tools: readonly Tool[] = [],
): GuardProcess => {
  const feed = createFeedDouble(settings, tools);
  let child: ChildProcess | undefined;
  let opsSocket = '';
  const running = (): ChildProcess => {
    if (child === undefined) throw new Error('the guard was not started');
    return child;
  };
  const ask = async (path: string): Promise<string> => {
    const [response] = (await once(get({ socketPath: opsSocket, path }), 'response')) as [IncomingMessage];
    return text(response);
  };
  const isReady = async (): Promise<boolean> =>
    (await ask('/readyz').catch(() => '')).includes(`"sequence":${feed.sequence()}`);
  return {
    start: async (socketPath, directory) => {
      opsSocket = join(directory, 'ext-proc-ops.sock');
      const stopFeed = await feed.start(join(directory, 'registry-feed.sock'));
      feed.change({ enabled: true });
      child = spawn('node_modules/.bin/node', [...flags, 'ext-proc/main.ts'], {
        env: {
          PATH: process.env['PATH'],
          MCPGW_RUNTIME_DIR: directory,
          MCPGW_STATE_DIR: join(directory, 'state'),
          EXT_PROC_ADDRESS: `unix:${socketPath}`,
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await until('the guard is ready', isReady, 20_000);
      return async () => {
        const { exitCode, signalCode } = running();
        if (exitCode === null && signalCode === null) {
          running().kill('SIGCONT');
          running().kill('SIGTERM');
          await once(running(), 'exit');
        }
        await stopFeed();
      };
    },
    sequence: feed.sequence,
    child: running,
    residentBytes: async () => {
      const status = await readFile(`/proc/${running().pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    metric: async (name) => {
      const lines = (await ask('/metrics')).split('\n').filter((line) => line.startsWith(name));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };
};
