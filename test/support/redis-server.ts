// A real Redis for tests, in a directory of its own: it can be stopped, started again empty on the same port, held up
// and asked past the product. It stores nothing on disk.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findFreePorts } from '#test/support/free-ports.ts';

const START_LIMIT_MS = 20_000;

/** A node of a cluster talks to the others on its port and 10,000, and there are 65,535. */
const LAST_PORT = 55_000;

export type RedisServer = {
  readonly port: number;
  /** Without a password. */
  readonly url: string;
  /** One command, past the product. It waits for a server that is held up. */
  run(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** Holds it up: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** Kills it, what it held is gone. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  start(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
};

type RedisSettings = {
  /** As in redis.conf: `['--maxmemory', '1mb']`. */
  readonly settings?: readonly string[];
  readonly password?: string;
  /** A configuration file before all settings; a Sentinel must have one. */
  readonly file?: string;
  readonly port?: number;
};

/** @throws one plain line: tests with Redis are not skipped. */
const requireRedis = (): string => {
  const binary = process.env['REDIS_BIN'];
  if (!binary) throw new Error('REDIS_BIN must name a redis-server: run the tests with `--with redis`');
  return binary;
};

/** Free ports low enough for nodes of a cluster. */
export const findRedisPorts = async (count: number): Promise<readonly number[]> => {
  const ports: number[] = [];
  while (ports.length < count)
    for (const port of await findFreePorts(count))
      if (port <= LAST_PORT && ports.length < count && !ports.includes(port)) ports.push(port);
  return ports;
};

const readyLine = /Ready to accept connections|Sentinel ID is/;

const waitUntilReady = async (child: ChildProcess): Promise<void> => {
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (readyLine.test(output)) resolve();
    });
  });
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(START_LIMIT_MS) }).catch(() => undefined);
  const isReady = await Promise.race([ready.then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error(`Redis did not start: ${output}`);
};

const killProcess = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};

const argumentsOf = (directory: string, port: number, { settings, password, file }: RedisSettings) => [
  ...(file === undefined ? [] : [file, '--sentinel']),
  ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
  ...(file === undefined ? ['--save', '', '--appendonly', 'no'] : []),
  ...(password === undefined ? [] : ['--requirepass', password, '--masterauth', password]),
  ...(settings ?? []),
];

/** Starts a server and waits until it serves. */
export const startRedis = async (options: RedisSettings = {}): Promise<RedisServer> => {
  const binary = requireRedis();
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = options.port ?? (await findRedisPorts(1))[0] ?? 0;
  let child: ChildProcess;
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const start = async (): Promise<void> => {
    child = spawn(binary, argumentsOf(directory, port, options), { stdio: ['ignore', 'pipe', 'ignore'] });
    await waitUntilReady(child);
  };
  const control = new Redis({
    port,
    ...(options.password === undefined ? {} : { password: options.password }),
    lazyConnect: true,
    retryStrategy: () => 50,
    // A Sentinel answers neither INFO's loading nor a choice of database as a server does.
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
  });
  control.on('error', () => undefined);
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    run: (command, ...args) => control.call(command, ...args.map(String)),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => killProcess(child),
    start,
    stop: async () => {
      control.disconnect();
      process.off('exit', killNow);
      await killProcess(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
