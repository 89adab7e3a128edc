// Redis and Postgres as programs of the world: a script of ours that starts the real one in its own process group, so that
// both are killed, stopped and restarted like any other part, and come up again with what was on disk.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { integer, readConfig, text } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { NOBODY_AS_ROOT } from '#test/support/postgres-server.ts';

const config = readConfig({
  kind: text('CHAOS_DATABASE'),
  program: text('CHAOS_DATABASE_PROGRAM'),
  directory: text('CHAOS_DATABASE_DIR'),
  port: integer(1, 65_535)('CHAOS_DATABASE_PORT'),
});

/** Backends of a Postgres that was killed hold its memory for a moment; a start before that ends at once. */
const RETRY_MS = 100;
const RETRIES = 100;
const STARTED_MS = 1_000;

const port = String(config.port);

const startRedis = (): ChildProcess =>
  spawn(
    config.program,
    ['--port', port, '--bind', '127.0.0.1', '--dir', config.directory, '--save', '', '--appendonly', 'no'],
    { stdio: 'inherit' },
  );

/** Commits wait for the disk, as in production. */
const startPostgres = (): ChildProcess =>
  spawn(
    join(config.program, 'postgres'),
    [
      '-D',
      config.directory,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-p',
      port,
    ],
    { ...NOBODY_AS_ROOT, cwd: config.directory, stdio: 'inherit' },
  );

const start = config.kind === 'redis' ? startRedis : startPostgres;

/** The program once it has stayed up. */
const startForGood = async (): Promise<ChildProcess> => {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    const child = start();
    const ended = once(child, 'exit').then(() => true);
    if (!(await Promise.race([ended, sleep(STARTED_MS, false)]))) return child;
    await sleep(RETRY_MS);
  }
  throw new Error(`${config.kind} does not start`);
};

runService(createLogger(config.kind, 'info'), async (lifecycle) => {
  const child = await startForGood();
  let stopping = false;
  child.once('exit', () => {
    if (!stopping) process.exit(1);
  });
  lifecycle.onStop(config.kind, async () => {
    stopping = true;
    const ended = once(child, 'exit');
    // Postgres: a fast shutdown, which does not wait for its clients. Redis: the same as SIGTERM.
    child.kill('SIGINT');
    await ended;
  });
});
