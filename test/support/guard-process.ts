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
  /**
   * Puts a successor in the place of the process that runs, and tells that one to end.
   * @returns the status it ends with, once it has.
   */
  replace(): Promise<{ readonly ended: Promise<number | null> }>;
  /** Resident memory, bytes. */
  residentBytes(): Promise<number>;
  /** The sum of a metric over its labels. */
  metric(name: string): Promise<number>;
};

/**
 * @param settings of the tenant.
 * @param flags of Node.
 * @param tools pinned in the version of the tenant's server.
 * @param environment of the process, beside its place.
 */
export const createGuardProcess = (
  settings: Partial<Tenant> = {},
  flags: readonly string[] = [],
  tools: readonly Tool[] = [],
  environment: Readonly<Record<string, string>> = {},
): GuardProcess => {
  const feed = createFeedDouble(settings, tools);
  let child: ChildProcess | undefined;
  let opsSocket = '';
  const running = (): ChildProcess => {
    if (child === undefined) throw new Error('the guard was not started');
    return child;
  };
  const ask = async (path: string): Promise<string> => {
    const [response] = (await once(get({ socketPath: opsSocket, path, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    return text(response);
  };
  let place: Record<string, string | undefined> = {};
  const launch = async (more: Record<string, string> = {}): Promise<ChildProcess> => {
    const next = spawn('node_modules/.bin/node', [...flags, 'ext-proc/main.ts'], {
      env: { ...place, ...environment, ...more },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const isReady = async (): Promise<boolean> => {
      const { process, sequence } = JSON.parse(await ask('/readyz').catch(() => '{}'));
      return process === next.pid && sequence === feed.sequence();
    };
    await until('the guard is ready', isReady, 20_000);
    return next;
  };
  const end = async (one: ChildProcess): Promise<number | null> => {
    if (one.exitCode !== null || one.signalCode !== null) return one.exitCode;
    one.kill('SIGCONT');
    one.kill('SIGTERM');
    await once(one, 'exit');
    return one.exitCode;
  };
  return {
    start: async (socketPath, directory) => {
      opsSocket = join(directory, 'ext-proc-ops.sock');
      const stopFeed = await feed.start(join(directory, 'registry-feed.sock'));
      feed.change({ enabled: true });
      place = {
        PATH: process.env['PATH'],
        MCPGW_RUNTIME_DIR: directory,
        MCPGW_STATE_DIR: join(directory, 'state'),
        EXT_PROC_ADDRESS: `unix:${socketPath}`,
      };
      child = await launch();
      return async () => {
        await end(running());
        await stopFeed();
      };
    },
    sequence: feed.sequence,
    child: running,
    replace: async () => {
      const before = running();
      child = await launch({ TAKE_OVER: 'true' });
      return { ended: end(before) };
    },
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
