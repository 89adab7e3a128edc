// `npm run bench:registry`: what a change costs in a tenant of a thousand servers with twenty tools each, against one of
// ten, and how long a thousand take from opening the store to the first batch of the feed. Rounds of both alternate in one
// process, so that only ratios and seconds are read. From the command to the committed change and what the feed sends.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tenant } from '#core/tenant.ts';
import { putGrant } from '#registry/commands/grant.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { setServerState } from '#registry/commands/server.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { startPostgres } from '#test/support/postgres-server.ts';

const ROUNDS = 60;
const OPENINGS = 5;
const TOOLS = 20;
const RECORD = { actor: 'bench', action: 'put', reason: 'bench', at: new Date().toISOString() };

type Command = (tenant: Tenant, round: number) => Outcome;

const COMMANDS: Readonly<Record<string, Command>> = {
  grant: (tenant, round) => {
    const [grant] = tenant.grants;
    if (grant === undefined) throw new Error('there is one');
    return putGrant(tenant, { ...grant, tools: [`tool_${round % TOOLS}`] });
  },
  server: (tenant, round) => setServerState(tenant, { id: 'server-0005', enabled: round % 2 === 1 }),
};

const insert = (store: Store, tenant: Tenant): Promise<unknown> =>
  store.write({ tenantId: tenant.id, before: undefined, tenant, changes: [], record: RECORD });

/** Milliseconds from reading the tenant to what the feed sends of the change. */
const timeChange = async (store: Store, id: string, change: (tenant: Tenant) => Outcome): Promise<number> => {
  const position = await store.lastSequence();
  const startedAt = performance.now();
  const before = await store.findTenant(id);
  if (before === undefined) throw new Error('it is there');
  const outcome = change(before.tenant);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  const { tenant, changes } = outcome.value;
  const written = await store.write({ tenantId: id, before, tenant, changes, record: RECORD });
  if (!written.ok) throw new Error(written.error);
  JSON.stringify(await store.readAfter(position, 32, position));
  return performance.now() - startedAt;
};

const spread = (values: readonly number[], unit: string): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  return `min ${at(0)}${unit}  median ${at(0.5)}${unit}  max ${at(1)}${unit}`;
};

const compareChanges = async (store: Store, name: string, command: Command): Promise<void> => {
  const times: Record<string, number[]> = { small: [], large: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [id, found] of Object.entries(times))
      found.push(await timeChange(store, id, (tenant) => command(tenant, round)));
  }
  const { small = [], large = [] } = times;
  const ratios = large.map((time, round) => time / (small[round] ?? 1));
  console.log(`  change of a ${name}, 10 servers      ${spread(small, ' ms')}`);
  console.log(`  change of a ${name}, 1,000 servers   ${spread(large, ' ms')}`);
  console.log(`  ratio                            ${spread(ratios, '')}`);
};

const bench = async (dialect: string, open: () => Promise<Store>): Promise<void> => {
  console.log(dialect);
  const store = await open();
  await insert(store, largeTenant('small', { servers: 10, tools: TOOLS }));
  await insert(store, largeTenant('large', { servers: 1_000, tools: TOOLS }));
  for (const [name, command] of Object.entries(COMMANDS)) await compareChanges(store, name, command);
  await store.close();
  const openings: number[] = [];
  for (let n = 0; n < OPENINGS; n += 1) {
    const startedAt = performance.now();
    const opened = await open();
    JSON.stringify(await opened.readAfter(0, 32, 0));
    openings.push((performance.now() - startedAt) / 1_000);
    await opened.close();
  }
  console.log(`  open to first snapshot           ${spread(openings, ' s')}`);
};

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
await bench('SQLite', async () => openSqliteStore(join(directory, 'registry.db'), TEST_AUDIT));
const postgres = await startPostgres({ durable: true });
const { url } = await postgres.createDatabase();
await bench('Postgres', () => openPostgresStore(url, TEST_AUDIT));
await postgres.stop();
await rm(directory, { recursive: true, force: true });
