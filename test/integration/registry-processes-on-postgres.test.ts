// Several registries over one Postgres, as processes: what one commits the others' consumers have well under a second
// later, in order; nobody overwrites anybody.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ADMIN_KEY, type Answer, callApi } from '#test/integration/registry-harness.ts';
import { type RegistryProcess, startRegistryProcess } from '#test/integration/registry-replica.ts';
import { auditSecretsIn } from '#test/support/audit-secrets.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '#test/support/postgres-server.ts';
import { type KeyServer, publishKey, startKeyServer } from '#test/support/token-issuer.ts';

let server: PostgresServer;
let keyServer: KeyServer;
let database: TestDatabase;
let directory: string;
let replicas: RegistryProcess[];
let consumers: FeedConsumer[];

beforeAll(async () => {
  server = await startPostgres();
  keyServer = await startKeyServer([publishKey(ADMIN_KEY)]);
});

afterAll(async () => {
  await keyServer.stop();
  await server.stop();
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rr-'));
  database = await server.createDatabase();
  consumers = [];
  const start = (name: string) =>
    startRegistryProcess({
      directory: join(directory, name),
      jwksUri: keyServer.url,
      postgresUrl: database.url,
      keysOf: directory,
    });
  replicas = await Promise.all([start('a'), start('b')]);
});

afterEach(async () => {
  for (const consumer of consumers) await consumer.stop();
  for (const replica of replicas) await replica.kill();
  await rm(directory, { recursive: true, force: true });
});

const at = (index: number): RegistryProcess => {
  const replica = replicas[index % replicas.length];
  if (replica === undefined) throw new Error('two are running');
  return replica;
};

const follow = async (index: number): Promise<readonly Snapshot[]> => {
  const snapshots: Snapshot[] = [];
  const consumer = await startFeedConsumer({
    address: at(index).feed,
    consumer: `ext-authz/${index}`,
    stateFile: join(directory, `snapshot-${index}.json`),
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
    onSnapshot: (snapshot) => snapshots.push(snapshot),
  });
  consumers.push(consumer);
  return snapshots;
};

const put = (index: number, path: string, body: object, etag?: string): Promise<Answer> =>
  callApi(`${at(index).url}/v1/tenants/${path}`, 'PUT', {
    body,
    headers: etag === undefined ? {} : { 'if-match': etag },
  });

const settings = (displayName: string) => ({ displayName, accessContact: '' });

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));

describe('two registries on one Postgres', () => {
  it('show every revision to the consumers of both, in order, well under a second after the answer', async () => {
    const seen = [await follow(0), await follow(1)];
    let { etag } = await put(0, 'acme', settings('revision 1'));
    const latencies: number[] = [];
    for (let revision = 2; revision <= 12; revision += 1) {
      const answer = await put(revision, 'acme', settings(`revision ${revision}`), etag);
      expect(answer.status).toBe(200);
      ({ etag } = answer);
      const answeredAt = performance.now();
      for (const snapshots of seen)
        await vi.waitFor(
          () => expect(snapshots.at(-1)?.tenants[0]?.displayName).toBe(`revision ${revision}`),
          { interval: 1, timeout: 10_000 },
        );
      latencies.push(performance.now() - answeredAt);
    }
    expect(latencies.toSorted((a, b) => a - b)[5]).toBeLessThan(500);
    for (const snapshots of seen) {
      const revisions = snapshots.flatMap(({ tenants }) => tenants.map(({ revision }) => revision));
      expect(isAscending(revisions)).toBe(true);
      expect(new Set(revisions)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    }
  }, 60_000);

  it('let one of two writers win, and tell the other: 412', async () => {
    const { etag } = await put(0, 'acme', settings('first'));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => put(n, 'acme', settings(`writer ${n}`), etag)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body } of answers.filter(({ status }) => status !== 200))
      expect({ status, type: body.type }).toEqual({
        status: 412,
        type: 'urn:mcpgw:problem:precondition-failed',
      });
    const [winner] = answers.filter(({ status }) => status === 200);
    const read = await callApi(`${at(1).url}/v1/tenants/acme`, 'GET');
    expect(read.body).toEqual(winner?.body);
  }, 60_000);

  it('lose no update in a storm of writers of one tenant, and consumers end with all of them', async () => {
    const seen = [await follow(0), await follow(1)];
    await put(0, 'acme', settings('storm'));
    const issuer = (n: number) => ({
      kind: 'oidc',
      issuer: `https://${n}.example.com`,
      jwksUri: `https://${n}.example.com/keys`,
      algorithms: ['RS256'],
      relation: 'partner',
      claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
    });
    const write = async (n: number): Promise<number> => {
      const answer = await put(n, `acme/issuers/i${n}`, issuer(n));
      // The tenant was changed by others five times while this one tried: it is told, and tries again.
      return answer.status === 412 ? write(n) : answer.status;
    };
    const count = 40;
    const statuses = await Promise.all(Array.from({ length: count }, (_, n) => write(n)));
    expect(new Set(statuses)).toEqual(new Set([201]));
    const expected = Array.from({ length: count }, (_, n) => `i${n}`).toSorted();
    for (const snapshots of seen) {
      await vi.waitFor(
        () =>
          expect(
            snapshots
              .at(-1)
              ?.tenants[0]?.issuers.map(({ id }) => id)
              .toSorted(),
          ).toEqual(expected),
        { timeout: 10_000 },
      );
      expect(isAscending(snapshots.map(({ sequence }) => sequence))).toBe(true);
    }
    const store = await openPostgresStore(database.url, auditSecretsIn(directory));
    const revisions = await store.listRevisions('acme', { limit: 100 });
    expect(revisions.map(({ number, sequence }) => [number, sequence])).toEqual(
      Array.from({ length: count + 1 }, (_, n) => [count + 1 - n, count + 1 - n]),
    );
    expect(await store.findAuditFault()).toBeUndefined();
    await store.close();
  }, 90_000);

  it('carry on alone when one is killed, and its consumers go on at the other', async () => {
    await put(0, 'acme', settings('before'));
    await at(0).kill();
    const snapshots = await follow(1);
    const { etag } = await callApi(`${at(1).url}/v1/tenants/acme`, 'GET');
    expect((await put(1, 'acme', settings('after'), etag)).status).toBe(200);
    await vi.waitFor(() => expect(snapshots.at(-1)?.tenants[0]?.displayName).toBe('after'), {
      timeout: 10_000,
    });
  }, 60_000);
});
