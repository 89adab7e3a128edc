// Brings a SQLite file up to date. `PRAGMA user_version` counts the migrations it has seen.

import type { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '#core/gateway-error.ts';
import type { Row, RowMover } from '#registry/store/adopt-serving.ts';
import { MIGRATIONS, type Migration, NEWER_PROGRAM } from '#registry/store/migrations.ts';

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version']);

/** Runs the statements of a migration that moves rows about. */
export const moveRows = (database: DatabaseSync, move: RowMover): void => {
  const steps = move();
  let step = steps.next();
  while (step.done !== true) {
    const statement = database.prepare(step.value.sql);
    step = steps.next(statement.all(...step.value.parameters) as Row[]);
  }
};

const run = (database: DatabaseSync, migration: Migration): void => {
  for (const step of migration) {
    if (typeof step === 'string') database.exec(step);
    else if ('move' in step) moveRows(database, step.move);
    else step(database);
  }
};

/** Takes the step from `version`, or finds that another process has taken it while this one waited for the lock. */
const advance = (database: DatabaseSync, version: number): void => {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (versionOf(database) === version) {
      run(database, MIGRATIONS[version] ?? []);
      database.exec(`PRAGMA user_version = ${version + 1}`);
    }
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
};

/**
 * Brings the tables up to date, each step in a transaction of its own.
 * @throws GatewayError `store_failed` if the database was written by a newer program.
 */
export const migrateSqlite = (database: DatabaseSync, newEpoch: string): void => {
  if (versionOf(database) > MIGRATIONS.length) throw new GatewayError('store_failed', NEWER_PROGRAM);
  for (let version = versionOf(database); version < MIGRATIONS.length; version += 1)
    advance(database, version);
  database.prepare("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('sequence', '0')").run(newEpoch);
};
