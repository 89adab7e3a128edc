// `npm start` as a child process of a test: on ports and directories of its own, and gone when the test is.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Quickstart } from '#demo/supervisor/quickstart.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

const READY_MS = 120_000;
const STOP_MS = 20_000;

export type ProductProcess = {
  readonly quickstart: Quickstart;
  /** Everything it was told by the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly localDirectory: string;
  /** What it printed so far. */
  screen(): string;
  /** Ends it as Ctrl-C does. @returns exit code and milliseconds it took */
  interrupt(): Promise<{ readonly code: number | null; readonly tookMs: number }>;
  /** Kills it as nothing can be prepared for. */
  killSupervisor(): Promise<void>;
  /** Starts it again in the same directories after it has ended. */
  restart(): Promise<ProductProcess>;
  /** Ends it, if it runs, and removes its directories. */
  stop(): Promise<void>;
};

const buildEnvironment = async (directory: string): Promise<Record<string, string>> => {
  const [gateway, registry, admin, provider, tracker, reports] = (await findFreePorts(6)).map(String);
  return {
    GATEWAY_PORT: gateway ?? '',
    REGISTRY_PORT: registry ?? '',
    ENVOY_ADMIN_PORT: admin ?? '',
    DEMO_IDP_PORT: provider ?? '',
    DEMO_TRACKER_PORT: tracker ?? '',
    DEMO_REPORTS_PORT: reports ?? '',
    DEMO_DEBUG: 'true',
    MCPGW_LOCAL_DIR: join(directory, 'local'),
    MCPGW_RUNTIME_DIR: join(directory, 'run'),
  };
};

const spawnSupervisor = (environment: Readonly<Record<string, string>>): ChildProcess =>
  spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', './provision/parent-watch.mjs', 'demo/main.ts'],
    {
      cwd: ROOT,
      env: { ...process.env, ...environment, MCPGW_PARENT_PID: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );

const collectOutput = (child: ChildProcess): (() => string) => {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  return () => text;
};

const waitUntilReady = async (child: ChildProcess, screen: () => string): Promise<void> => {
  const end = Date.now() + READY_MS;
  while (!/^ready/m.test(screen())) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`npm start ended by itself:\n${screen()}`);
    if (Date.now() > end) throw new Error(`npm start is not ready after ${READY_MS / 1000} s:\n${screen()}`);
    await sleep(20);
  }
};

const endWith = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(force);
};

const run = async (
  environment: Readonly<Record<string, string>>,
  directory: string,
): Promise<ProductProcess> => {
  const child = spawnSupervisor(environment);
  const screen = collectOutput(child);
  try {
    await waitUntilReady(child, screen);
  } catch (thrown) {
    await endWith(child, 'SIGTERM');
    throw thrown;
  }
  const localDirectory = join(directory, 'local');
  return {
    quickstart: JSON.parse(readFileSync(join(localDirectory, 'quickstart.json'), 'utf8')) as Quickstart,
    environment,
    localDirectory,
    screen,
    interrupt: async () => {
      const startedAt = Date.now();
      await endWith(child, 'SIGINT');
      return { code: child.exitCode, tookMs: Date.now() - startedAt };
    },
    killSupervisor: () => endWith(child, 'SIGKILL'),
    restart: () => run(environment, directory),
    stop: async () => {
      await endWith(child, 'SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/**
 * Starts the whole demo and waits until it is ready.
 * @param overrides variables beside those that keep it apart from others
 * @throws with everything it printed if it does not start
 */
export const startProductProcess = async (
  overrides: Readonly<Record<string, string>> = {},
): Promise<ProductProcess> => {
  const binary = process.env['ENVOY_BIN'];
  if (binary === undefined || !existsSync(binary))
    throw new Error('ENVOY_BIN names no Envoy; run the tests with npm test');
  // Short: a socket path has 103 bytes at most.
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-'));
  return run({ ...(await buildEnvironment(directory)), ...overrides }, directory);
};
