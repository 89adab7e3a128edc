// The statements of a store, counted where the drivers send them, so that a test can put a fault before any of them.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import pg from 'pg';
import type { Store, TenantWrite } from '#registry/store/store.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { record, writeOf } from '#test/support/store-contract.ts';

type Method = (...parameters: unknown[]) => unknown;

const before = (owner: object, name: string, run: (self: unknown) => void): (() => void) => {
  const methods = owner as Record<string, Method>;
  const original = methods[name] as Method;
  methods[name] = function (this: unknown, ...parameters: unknown[]): unknown {
    run(this);
    return original.apply(this, parameters);
  };
  return () => {
    methods[name] = original;
  };
};

/** The prototype is not exported. */
const statementPrototype = (): StatementSync => {
  const database = new DatabaseSync(':memory:');
  const prototype = Object.getPrototypeOf(database.prepare('SELECT 1')) as StatementSync;
  database.close();
  return prototype;
};

/** Calls `run` before every statement that SQLite is given; returns what ends that. */
export const beforeSqliteStatements = (run: (database: unknown) => void): (() => void) => {
  const statements = statementPrototype();
  const ends = [
    before(DatabaseSync.prototype, 'exec', run),
    before(statements, 'all', run),
    before(statements, 'run', run),
  ];
  return () => {
    for (const end of ends) end();
  };
};

/** The same for Postgres. */
export const beforePostgresStatements = (run: () => void): (() => void) =>
  before(pg.Client.prototype, 'query', run);

/** A change that touches every table a change can touch, made from revision 1 of the sample. */
export const fullWrite = async (store: Store): Promise<TenantWrite> => {
  const stored = await store.findTenant('acme');
  const tenant = { ...sampleTenant('acme'), displayName: 'changed', grants: [] };
  const [server] = tenant.servers;
  const [version] = server?.versions ?? [];
  if (server === undefined || version === undefined) throw new Error('the sample has one');
  const servers = [{ ...server, versions: [version, { ...version, version: '2.0.0' }] }];
  return {
    ...writeOf({ ...tenant, servers }, 1),
    before: stored,
    publication: {
      serverId: 'tracker',
      version: '2.0.0',
      digest: 'd',
      publisherId: 'team',
      kid: 'k',
      at: record().at,
      bytes: Buffer.from('bytes'),
      signature: 's',
      id: { thumbprint: 't', jti: 'j', forgetAt: 4_000_000_000 },
    },
  };
};

/** What of `fullWrite` is there: nothing or everything, or a list of what contradicts. */
export const whatIsThere = async (store: Store): Promise<'nothing' | 'everything' | readonly unknown[]> => {
  const tenant = (await store.findTenant('acme'))?.tenant;
  const facts = [
    tenant?.revision === 2,
    tenant?.displayName === 'changed',
    tenant?.grants.length === 0,
    tenant?.servers[0]?.versions.length === 2,
    (await store.lastSequence()) === 2,
    (await store.listRevisions('acme', { limit: 10 })).length === 2,
    (await store.listAudit('acme', { limit: 10 })).length === 2,
    (await store.listManifests('acme', { limit: 10 })).length === 1,
    (await store.findPublished('acme', { serverId: 'tracker', version: '2.0.0' })).versions.length === 2,
    await store.isSpent({ thumbprint: 't', jti: 'j', forgetAt: 0 }),
    (await store.readAfter(1, 10, 1)).items.length === 1,
  ];
  const isChained = (await store.findAuditFault()) === undefined;
  if (isChained && facts.every((fact) => fact)) return 'everything';
  return isChained && facts.every((fact) => !fact) ? 'nothing' : [isChained, ...facts];
};
