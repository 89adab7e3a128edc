// One process of the product or of a peer under measurement: started, waited for, asked how much processor time it took.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { NODE_OPTIONS } from '#provision/processes/child.ts';
import { ROOT } from '#test/support/product-process.ts';
import { until } from '#test/support/xds-gateway.ts';

export type MeasuredProcess = {
  readonly pid: number;
  /** Microseconds of processor time it has taken so far, in the kernel and out of it. */
  cpuUs(): number;
  stop(): Promise<void>;
};

const START_MS = 60_000;

/** Of Linux; `getconf CLK_TCK` says so on every machine of today. */
const TICK_US = 10_000;

/** Fields 14 and 15 of proc(5) `/proc/<pid>/stat`, counted after the name, which may hold spaces. */
export const cpuUsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
};

const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** What is said of a process that ended too soon: its last lines. */
const lastLines = (log: string): string => log.trim().split('\n').slice(-5).join('\n');

/**
 * Starts a program and waits until it is ready.
 * @throws one line, with what the program said last, if it ends before or is not ready within a minute.
 */
export const startProcess = async (options: {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly isReady: () => boolean | Promise<boolean>;
}): Promise<MeasuredProcess> => {
  const child: ChildProcess = spawn(options.command, [...options.arguments], {
    cwd: ROOT,
    env: { ...process.env, ...options.environment, MCPGW_PARENT_PID: String(process.pid) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  let isGone = false;
  running.add(child);
  child.once('error', (thrown) => {
    log += thrown.message;
    isGone = true;
  });
  child.once('exit', () => {
    isGone = true;
    running.delete(child);
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-4_000);
    });
  const stop = async (): Promise<void> => {
    if (isGone) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await until(`${options.name} is ready`, async () => isGone || (await options.isReady()), START_MS);
    if (isGone) throw new Error(`${options.name} ended at its start: ${lastLines(log)}`);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const pid = child.pid ?? 0;
  return { pid, cpuUs: () => cpuUsOf(pid), stop };
};

/** GET over a Unix socket; undefined while nobody answers. */
export const getOverSocket = (
  socketPath: string,
  path: string,
): Promise<{ readonly status: number; readonly text: string } | undefined> =>
  new Promise((resolve) => {
    const call = request({ socketPath, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.once('error', () => resolve(undefined)).end();
  });

/** One of the product's services, run as it is run anywhere; ready when its operations socket says so. */
export const startService = (options: {
  readonly name: string;
  readonly script: string;
  readonly opsSocket: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Flags of Node, such as `--cpu-prof`. */
  readonly flags?: readonly string[];
}): Promise<MeasuredProcess> =>
  startProcess({
    ...options,
    command: process.execPath,
    arguments: [
      ...NODE_OPTIONS,
      ...(options.flags ?? []),
      '--import',
      './provision/parent-watch.mjs',
      options.script,
    ],
    isReady: async () => (await getOverSocket(options.opsSocket, '/readyz'))?.status === 200,
  });
