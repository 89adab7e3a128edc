// The sequence over all tenants. Taking a number locks it to the end of the transaction, so commits have one order,
// that of their numbers, whichever process makes them.

import { sql } from 'kysely';
import type { Database } from '#registry/store/tables.ts';

/** Takes the next number; a transaction that is undone gives it back. */
export const takeSequence = async (transaction: Database): Promise<number> => {
  const { value } = await transaction
    .updateTable('meta')
    .set({ value: sql<string>`cast(cast(value as bigint) + 1 as text)` })
    .where('key', '=', 'sequence')
    .returning('value')
    .executeTakeFirstOrThrow();
  return Number(value);
};

/** Number of the last commit. */
export const lastSequence = async (database: Database): Promise<number> => {
  const { value } = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', 'sequence')
    .executeTakeFirstOrThrow();
  return Number(value);
};
