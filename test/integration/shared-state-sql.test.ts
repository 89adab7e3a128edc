// Shared state in SQLite and Postgres: the contract on both, and what each is asked for beside it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { createLogger } from '#runtime/logger.ts';
import { openPostgresState } from '#runtime/shared-state/postgres-state.ts';
import { openSqliteState } from '#runtime/shared-state/sqlite-state.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '#test/support/postgres-server.ts';
import { describeLostState, describeSharedState } from '#test/support/shared-state-contract.ts';
import { type StallingProxy, startStallingProxy } from '#test/support/stalling-proxy.ts';

/** For a busy machine; what the deadline is for is seen with the short one. */
const PATIENT_MS = 20_000;
const SHORT_MS = 500;
const LONG_MS = 3_600_000;
const logger = createLogger('test', 'silent');
const UNAVAILABLE = { ok: false, error: 'unavailable' };

let place: string;
let path: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-shared-'));
  path = join(place, 'shared', 'state.db');
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const openSqlite = (more: { deadlineMs?: number; sweepMs?: number } = {}) =>
  openSqliteState({ path, deadlineMs: PATIENT_MS, logger, ...more });

describeSharedState('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-shared-'));
  return {
    open: async () => openSqliteState({ path: join(directory, 'state.db'), deadlineMs: PATIENT_MS, logger }),
    pass: async (ms) => void (await sleep(ms)),
    stop: async () => rmSync(directory, { recursive: true }),
  };
});

describe('shared state in SQLite', () => {
  it('gives each lease to one of several processes at most, and every one of them can write meanwhile', async () => {
    const [leases, takers] = [200, 3];
    const processes = Array.from({ length: takers }, (_item, index) => {
      const options = ['--disable-warning=ExperimentalWarning', 'test/support/lease-taker.ts'];
      const child = spawn(process.execPath, [...options, path, `taker ${index}`, String(leases)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (bytes) => {
        output += bytes;
      });
      return { child, output: () => output };
    });
    for (const { output } of processes) await expect.poll(output).toBe('waiting\n');
    const ended = processes.map(({ child }) => once(child, 'exit'));
    for (const { child } of processes) child.stdin.write('go\n');
    expect((await Promise.all(ended)).map(([code]) => code)).toEqual(Array(takers).fill(0));
    const got = processes.map(({ output }) => JSON.parse(output().split('\n')[1] ?? '') as number[]);
    expect(got.flat().toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: leases }, (_item, index) => index),
    );
    const state = openSqlite();
    for (let taker = 0; taker < takers; taker += 1)
      expect(await state.read(`value taker ${taker} ${leases - 1}`)).toEqual(ok(`taker ${taker}`));
    await state.stop();
  });

  it('lies in a file for its owner alone', async () => {
    const state = openSqlite();
    await state.write('a', { value: 'A', lifetimeMs: LONG_MS });
    for (const name of ['', '-wal', '-shm']) expect(statSync(path + name).mode & 0o077, name).toBe(0);
    await state.stop();
  });

  it('is not opened where the file is no database', () => {
    const other = join(place, 'other.db');
    writeFileSync(other, 'no database '.repeat(1_000));
    expect(() => openSqliteState({ path: other, deadlineMs: SHORT_MS, logger })).toThrow(
      expect.objectContaining({ code: 'store_failed' }),
    );
  });

  it('goes on reading and holds nobody up while another process keeps the file to itself; nothing is done late', async () => {
    const state = openSqlite({ deadlineMs: SHORT_MS });
    await state.write('a', { value: 'A', lifetimeMs: LONG_MS });
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 10);
    const claims = Array.from({ length: 20 }, (_item, index) =>
      state.claim(`lease ${index}`, { holder: 'h', lifetimeMs: LONG_MS }),
    );
    expect(await state.read('a')).toEqual(ok('A'));
    expect(await Promise.all(claims)).toEqual(Array(20).fill(UNAVAILABLE));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    other.exec('rollback');
    other.close();
    await expect.poll(() => state.claim('lease 19', { holder: 'h', lifetimeMs: LONG_MS })).toEqual(ok(true));
    await state.stop();
  });

  it('sweeps what has ended and nothing else', async () => {
    const state = openSqlite({ sweepMs: 20 });
    const count = (table: string): number => {
      const database = new DatabaseSync(path);
      const { rows } = database.prepare(`select count(*) as rows from ${table}`).get() as { rows: number };
      database.close();
      return rows;
    };
    for (let index = 0; index < 600; index += 1)
      await state.write(`ended ${index}`, { value: 'x', lifetimeMs: 1 });
    await state.claim('ended', { holder: 'h', lifetimeMs: 1 });
    await state.write('live', { value: 'x', lifetimeMs: LONG_MS });
    await state.claim('live', { holder: 'h', lifetimeMs: LONG_MS });
    await expect.poll(() => [count('mcpgw_shared_value_1'), count('mcpgw_shared_lease_1')]).toEqual([1, 1]);
    await state.stop();
  });
});

let server: PostgresServer;
let shared: TestDatabase;
beforeAll(async () => {
  server = await startPostgres();
  shared = await server.createDatabase();
});
afterAll(() => server.stop());

const openPostgres = ({ url }: TestDatabase, more: { deadlineMs?: number; sweepMs?: number } = {}) =>
  openPostgresState({ url, deadlineMs: PATIENT_MS, logger, ...more });

describeSharedState('Postgres', async () => ({
  open: async () => openPostgres(shared),
  pass: async (ms) => void (await sleep(ms)),
  stop: async () => undefined,
}));

/** A handle that reaches its database through a proxy. */
const throughProxy = async (database: TestDatabase) => {
  const url = new URL(database.url.reveal());
  const proxy = await startStallingProxy({ host: url.hostname, port: Number(url.port || 5432) });
  url.host = `127.0.0.1:${proxy.port}`;
  return { proxy, state: openPostgresState({ url: new Secret(url.href), deadlineMs: 1_000, logger }) };
};

const lose = async (how: (proxy: StallingProxy) => Promise<void>) => {
  const { state, proxy } = await throughProxy(await server.createDatabase());
  return { state, lost: () => how(proxy), stop: () => proxy.stop() };
};

describeLostState('Postgres', [
  { title: 'its host hangs', lose: () => lose(async (proxy) => proxy.stall()) },
  { title: 'nobody listens there any more', lose: () => lose((proxy) => proxy.stop()) },
]);

describe('shared state in Postgres', () => {
  const rowsOf = async (database: TestDatabase, table: string): Promise<number> =>
    Number((await server.query(database, `select count(*) as rows from ${table}`))[0]?.['rows']);

  it('is made once by many that start together, beside what is there, which it leaves alone', async () => {
    const database = await server.createDatabase();
    await server.query(database, `create table meta (key text); insert into meta values ('mine')`);
    const states = Array.from({ length: 8 }, () => openPostgres(database));
    const answers = await Promise.all(
      states.map((state) => state.claim('first', { holder: 'h', lifetimeMs: LONG_MS })),
    );
    expect(answers.filter(({ ok: isOk }) => isOk)).toHaveLength(8);
    expect(answers).toContainEqual(ok(true));
    await Promise.all(states.map((state) => state.stop()));
    expect(await server.query(database, 'select key from meta')).toEqual([{ key: 'mine' }]);
    const tables = await server.query(
      database,
      `select relname, relpersistence from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    );
    expect(tables).toEqual([
      { relname: 'mcpgw_shared_lease_1', relpersistence: 'p' },
      { relname: 'mcpgw_shared_value_1', relpersistence: 'u' },
      { relname: 'meta', relpersistence: 'p' },
    ]);
  });

  it('does with a role that may only use the tables', async () => {
    const database = await server.createDatabase();
    const first = openPostgres(database);
    await first.write('a', { value: 'A', lifetimeMs: LONG_MS });
    await first.stop();
    const role = `guest_${database.name}`;
    await server.query(
      database,
      `create role ${role} login password 'x'; revoke create on schema public from public;
       grant select, insert, update, delete on mcpgw_shared_value_1, mcpgw_shared_lease_1 to ${role}`,
    );
    const url = new URL(database.url.reveal());
    [url.username, url.password] = [role, 'x'];
    const guest = openPostgresState({ url: new Secret(url.href), deadlineMs: PATIENT_MS, logger });
    expect(await guest.read('a')).toEqual(ok('A'));
    expect(await guest.claim('a', { holder: 'h', lifetimeMs: LONG_MS })).toEqual(ok(true));
    await guest.stop();
    await server.query(database, `drop owned by ${role}; drop role ${role}`);
  });

  it('says once why it is unavailable, and comes back by itself', async () => {
    const database = await server.createDatabase();
    const lines: string[] = [];
    const state = openPostgresState({
      url: database.url,
      deadlineMs: SHORT_MS * 4,
      logger: createLogger('test', 'info', { write: (line) => void lines.push(line) }),
    });
    expect(await state.write('a', { value: 'A', lifetimeMs: LONG_MS })).toEqual(ok(true));
    await server.query(database, 'drop table mcpgw_shared_value_1');
    expect(await state.read('a')).toEqual(UNAVAILABLE);
    // The tables are made again, as in a database that was restored from an old copy.
    expect(await state.read('a')).toEqual(ok(undefined));
    await state.stop();
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      'shared state unavailable',
      'shared state available again',
    ]);
  });

  it('waits for no lock longer than it was told to', async () => {
    const database = await server.createDatabase();
    const state = openPostgres(database, { deadlineMs: SHORT_MS });
    await expect.poll(() => state.claim('a', { holder: 'h', lifetimeMs: 1 })).toEqual(ok(true));
    const holder = new pg.Client({ connectionString: database.url.reveal() });
    await holder.connect();
    await holder.query('begin; lock table mcpgw_shared_lease_1');
    expect(await state.claim('a', { holder: 'h', lifetimeMs: 1 })).toEqual(UNAVAILABLE);
    await expect.poll(() => state.read('a')).toEqual(ok(undefined));
    await holder.end();
    await state.stop();
  });

  it('leaves connections that do not answer and takes new ones', async () => {
    const database = await server.createDatabase();
    const { state, proxy } = await throughProxy(database);
    const readByAll = () => Promise.all(Array.from({ length: 8 }, () => state.read('a')));
    await expect.poll(readByAll).toEqual(Array(8).fill(ok(undefined)));
    proxy.stall();
    expect(await readByAll()).toEqual(Array(8).fill(UNAVAILABLE));
    proxy.heal();
    await expect.poll(() => state.read('a')).toEqual(ok(undefined));
    await state.stop();
    await proxy.stop();
  });

  it('sweeps what has ended and nothing else, also with several at it', async () => {
    const database = await server.createDatabase();
    const states = [20, 25].map((sweepMs) => openPostgres(database, { sweepMs }));
    const [state] = states;
    await state?.write('live', { value: 'x', lifetimeMs: LONG_MS });
    await state?.claim('live', { holder: 'h', lifetimeMs: LONG_MS });
    await server.query(
      database,
      `insert into mcpgw_shared_value_1 select 'ended' || n, null, '', 1 from generate_series(1, 2000) n;
       insert into mcpgw_shared_lease_1 select 'ended' || n, 'h', 1 from generate_series(1, 2000) n`,
    );
    await expect
      .poll(async () => [
        await rowsOf(database, 'mcpgw_shared_value_1'),
        await rowsOf(database, 'mcpgw_shared_lease_1'),
      ])
      .toEqual([1, 1]);
    await Promise.all(states.map((one) => one.stop()));
  });
});
