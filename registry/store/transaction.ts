// The two kinds of transaction, and the one place where a broken database becomes a GatewayError. Knows no dialect.

import { GatewayError } from '#core/gateway-error.ts';
import type { Database } from '#registry/store/tables.ts';

/** Runs `work`; whatever it throws becomes a GatewayError `store_failed`. */
export const guardStore = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    throw GatewayError.from(thrown, 'store_failed');
  }
};

/**
 * Commits what `work` wrote, or undoes all of it if it throws. Tried once: a commit whose answer was lost may have
 * happened, and doing it again could do it twice.
 */
export const inTransaction = <T>(
  database: Database,
  work: (transaction: Database) => Promise<T>,
): Promise<T> => guardStore(() => database.transaction().execute(work));

/** Runs reads that belong together on one state of the database. */
export const inReadTransaction = <T>(
  database: Database,
  work: (transaction: Database) => Promise<T>,
): Promise<T> =>
  guardStore(() =>
    database.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
  );
