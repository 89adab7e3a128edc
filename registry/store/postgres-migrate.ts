// Brings a Postgres database up to date. The row `schema` of `meta` counts the migrations it has seen.

import { CompiledQuery, sql } from 'kysely';
import { GatewayError } from '#core/gateway-error.ts';
import type { Row, RowMover } from '#registry/store/adopt-serving.ts';
import { postgresWords } from '#registry/store/ddl-words.ts';
import { MIGRATIONS, NEWER_PROGRAM } from '#registry/store/migrations.ts';
import type { Database } from '#registry/store/tables.ts';
import { inTransaction } from '#registry/store/transaction.ts';

/** Names the lock under which one registry at a time migrates. */
const MIGRATION_LOCK = 1_835_167_607;

const versionOf = async (database: Database): Promise<number> => {
  const known = await sql<{ table: string | null }>`select to_regclass('meta')::text as table`.execute(
    database,
  );
  if (known.rows[0]?.table == null) return 0;
  const row = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', 'schema')
    .executeTakeFirst();
  return Number(row?.value ?? 0);
};

const keepVersion = (database: Database, version: number): Promise<unknown> =>
  database
    .insertInto('meta')
    .values({ key: 'schema', value: String(version) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(version) }))
    .execute();

/** Parameters are numbered here, and places there. */
const numbered = (text: string): string => {
  let count = 0;
  return text.replaceAll('?', () => `$${++count}`);
};

/** Runs the statements of a migration that moves rows about. */
export const moveRows = async (transaction: Database, move: RowMover): Promise<void> => {
  const steps = move();
  let step = steps.next();
  while (step.done !== true) {
    const { sql: text, parameters } = step.value;
    const { rows } = await transaction.executeQuery(CompiledQuery.raw(numbered(text), [...parameters]));
    step = steps.next(rows as Row[]);
  }
};

/** Takes the next step, if there is one. False: the tables are up to date. */
const advance = (database: Database): Promise<boolean> =>
  inTransaction(database, async (transaction) => {
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    const version = await versionOf(transaction);
    if (version > MIGRATIONS.length) throw new GatewayError('store_failed', NEWER_PROGRAM);
    const migration = MIGRATIONS[version];
    if (migration === undefined) return false;
    for (const step of migration) {
      if (typeof step === 'string') await sql.raw(postgresWords(step)).execute(transaction);
      else if ('move' in step) await moveRows(transaction, step.move);
    }
    await keepVersion(transaction, version + 1);
    return true;
  });

/**
 * Brings the tables up to date, each step in a transaction of its own.
 * @throws GatewayError `store_failed` if the database was written by a newer program.
 */
export const migratePostgres = async (database: Database, newEpoch: string): Promise<void> => {
  while (await advance(database));
  await inTransaction(database, (transaction) =>
    transaction
      .insertInto('meta')
      .values([
        { key: 'epoch', value: newEpoch },
        { key: 'sequence', value: '0' },
      ])
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
};
