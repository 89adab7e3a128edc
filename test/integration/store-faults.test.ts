// What a broken store does to a change: it is made or it is not, the caller is told, and the next one goes on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '#core/secret.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { writeOf } from '#test/support/store-contract.ts';
import {
  beforePostgresStatements,
  beforeSqliteStatements,
  fullWrite,
  whatIsThere,
} from '#test/support/store-faults.ts';

let server: PostgresServer;
let directory: string;
let cleanups: (() => unknown)[];

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'faults-'));
  cleanups = [];
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

/** Nobody makes a change in more statements than this; the loops below end long before. */
const TOO_MANY = 60;

const dieBefore = async (place: string, statement: number): Promise<string> => {
  const options = ['--disable-warning=ExperimentalWarning', 'test/integration/store-dying-writer.ts'];
  const child = spawn(process.execPath, [...options, place, String(statement)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal === 'SIGKILL' ? 'killed' : output;
};

const KINDS = [
  [
    'sqlite',
    async (n: number) => join(directory, `${n}.db`),
    async (place: string) => openSqliteStore(place, TEST_AUDIT),
  ],
  [
    'postgres',
    async () => (await server.createDatabase()).url.reveal(),
    (place: string) => openPostgresStore(new Secret(place), TEST_AUDIT),
  ],
] as const;

describe.each(KINDS)(
  'a process that is killed between any two statements of a commit (%s)',
  (_name, create, open) => {
    it('leaves the whole change or nothing of it', async () => {
      const found: unknown[] = [];
      for (let statement = 1; statement < TOO_MANY; statement += 1) {
        const place = await create(statement);
        const first = await open(place);
        await first.write(writeOf(sampleTenant('acme'), null));
        await first.close();
        const outcome = await dieBefore(place, statement);
        const store = await open(place);
        found.push(await whatIsThere(store));
        await store.close();
        if (outcome === 'written') break;
        expect(outcome).toBe('killed');
      }
      expect(found.length).toBeGreaterThan(10);
      expect(found.length).toBeLessThan(TOO_MANY - 1);
      // A store also looks for the commits of others: where it does so behind its own COMMIT, the change is there.
      expect(found.filter((state) => state !== 'nothing' && state !== 'everything')).toEqual([]);
      expect(found.filter((state) => state === 'nothing').length).toBeGreaterThan(10);
      expect(found.at(-1)).toBe('everything');
    }, 300_000);
  },
);

/** A way to Postgres that can be cut. */
const startCable = async (target: URL) => {
  const sockets = new Set<Socket>();
  let isCut = false;
  const proxy = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.pipe(to);
    }
    if (isCut) near.destroy();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(target);
  url.port = String((proxy.address() as AddressInfo).port);
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  cleanups.push(() => {
    drop();
    proxy.close();
  });
  return {
    url: new Secret(url.href),
    drop,
    cut: () => {
      isCut = true;
      drop();
    },
    mend: () => {
      isCut = false;
    },
  };
};

const openOverCable = async () => {
  const { url } = await server.createDatabase();
  const cable = await startCable(new URL(url.reveal()));
  const store = await openPostgresStore(cable.url, TEST_AUDIT);
  cleanups.push(() => store.close());
  return { cable, store };
};

/**
 * Loses the connection before the statement with this number; true if the change was lost with it. A store also looks
 * for the commits of others: where it does so behind its own COMMIT, the change is made.
 */
const writeLosing = async (store: Store, drop: () => void, statement: number): Promise<boolean> => {
  const write = await fullWrite(store);
  let left = statement;
  const end = beforePostgresStatements(() => {
    left -= 1;
    if (left === 0) drop();
  });
  const outcome = await store.write(write).catch((thrown: unknown) => thrown);
  end();
  const isMade = (outcome as { readonly ok?: boolean }).ok === true;
  if (left > 0) expect(outcome).toMatchObject({ ok: true });
  if (!isMade) expect(outcome).toMatchObject({ code: 'store_failed' });
  return !isMade;
};

describe('Postgres that is gone in the middle of a transaction', () => {
  it('has nothing of the change, says so, and takes the next one', async () => {
    let statement = 1;
    for (let wasLost = true; wasLost; statement += 1) {
      const { cable, store } = await openOverCable();
      await store.write(writeOf(sampleTenant('acme'), null));
      wasLost = await writeLosing(store, cable.drop, statement);
      // Connections that idled may not have heard yet that they are cut, and fail whoever takes them first.
      await vi.waitFor(async () => expect(await whatIsThere(store)).toBe(wasLost ? 'nothing' : 'everything'));
      if (wasLost) expect(await store.write(await fullWrite(store))).toMatchObject({ ok: true });
      expect(await whatIsThere(store)).toBe('everything');
      await store.close();
    }
    expect(statement).toBeGreaterThan(10);
  }, 90_000);

  it('is answered with 503, and with 200 once it is back', async () => {
    const { cable, store } = await openOverCable();
    const registry = await startRegistryOver(store);
    const path = '/v1/tenants/acme';
    const body = { displayName: 'Acme', accessContact: '' };
    cable.cut();
    await expectUnavailable(registry, 'PUT', path, body);
    await expectUnavailable(registry, 'GET', path);
    expect(registry.logLines.join('')).not.toContain(cable.url.reveal());
    cable.mend();
    expect((await registry.call('PUT', path, { body })).status).toBe(201);
    expect((await store.listRevisions('acme', { limit: 10 })).length).toBe(1);
  }, 30_000);

  it('tells of the commits of others again, once it is back', async () => {
    const { cable, store } = await openOverCable();
    let nudges = 0;
    store.onCommit(() => {
      nudges += 1;
    });
    cable.drop();
    const other = await openPostgresStore(cable.url, TEST_AUDIT);
    cleanups.push(() => other.close());
    await other.write(writeOf(sampleTenant('acme'), null));
    await vi.waitFor(() => expect(nudges).toBe(1), { timeout: 10_000 });
  }, 30_000);
});

const startRegistryOver = async (store: Store): Promise<TestRegistry> => {
  const registry = await startTestRegistry({ store });
  cleanups.push(() => registry.stop());
  return registry;
};

const expectUnavailable = async (
  registry: TestRegistry,
  method: string,
  path: string,
  body?: object,
): Promise<void> => {
  const answer = await registry.call(method, path, body === undefined ? {} : { body });
  expect({ status: answer.status, type: answer.body.type }).toEqual({
    status: 503,
    type: 'urn:mcpgw:problem:unavailable',
  });
  expect(answer.headers.get('retry-after')).toBe('5');
};

/** A registry over a file, with the connection it has to it. */
const startOverFile = async () => {
  const opened: DatabaseSync[] = [];
  const end = beforeSqliteStatements((database) => {
    if (database instanceof DatabaseSync) opened.push(database);
  });
  const path = join(directory, 'registry.db');
  const store = openSqliteStore(path, TEST_AUDIT);
  end();
  const [connection] = opened;
  if (connection === undefined) throw new Error('the store has opened its file');
  await store.write(writeOf(sampleTenant('acme'), null));
  return { connection, path, store, registry: await startRegistryOver(store) };
};

const PATH = '/v1/tenants/acme/grants/large';
const GRANT = {
  serverId: 'tracker',
  subjects: Array.from({ length: 90 }, (_, n) => ({ kind: 'user', id: `${n}`.padEnd(200, 'x') })),
  tools: ['*'],
};

describe('a SQLite store that', () => {
  it.each([
    ['is full', 'PRAGMA max_page_count = 1', 'PRAGMA max_page_count = 1000000'],
    ['is read-only', 'PRAGMA query_only = 1', 'PRAGMA query_only = 0'],
  ])(
    '%s answers changes with 503, has nothing of them, and is read as before',
    async (_name, spoil, mend) => {
      const { connection, registry, store } = await startOverFile();
      connection.exec(spoil);
      await expectUnavailable(registry, 'PUT', PATH, GRANT);
      expect((await registry.call('GET', '/v1/tenants/acme')).body.revision).toBe(1);
      expect(await whatIsThere(store)).toBe('nothing');
      connection.exec(mend);
      expect((await registry.call('PUT', PATH, { body: GRANT })).status).toBe(201);
    },
  );

  it('is locked by another program answers reads, then changes with 503, and goes on when it is free', async () => {
    const { path, registry, store } = await startOverFile();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const refused = expectUnavailable(registry, 'PUT', PATH, GRANT);
    await refused;
    expect((await registry.call('GET', '/v1/tenants/acme')).body.revision).toBe(1);
    expect(await whatIsThere(store)).toBe('nothing');
    const waiting = registry.call('PUT', PATH, { body: GRANT });
    other.exec('ROLLBACK');
    other.close();
    expect((await waiting).status).toBe(201);
  }, 30_000);
});
