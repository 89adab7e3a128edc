// Which consumers of the feed each registry has seen: one row a consumer and registry, replaced whenever that registry
// looks again. What a registry that died has left is let go after a while.

import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import type { SeenConsumer } from '#registry/store/seen-consumer.ts';
import type { Database } from '#registry/store/tables.ts';

/** How long a consumer that no registry sees stays on the list, milliseconds: an operator asks within the hour. */
const KEEP_MS = 3_600_000;

const forgetOld = async (database: Database, nowMs: number): Promise<void> => {
  await database
    .deleteFrom('consumers')
    .where('seen_at', '<', nowMs - KEEP_MS)
    .execute();
};

/** What one registry sees now. */
export const reportConsumers = async (
  transaction: Database,
  report: { readonly replica: string; readonly entries: readonly ConsumerEntry[]; readonly nowMs: number },
): Promise<void> => {
  const { replica, entries, nowMs } = report;
  await forgetOld(transaction, nowMs);
  for (const entry of entries) {
    const row = { seen_at: nowMs, entry: JSON.stringify(entry) };
    await transaction
      .insertInto('consumers')
      .values({ consumer: entry.consumer, replica, ...row })
      .onConflict((conflict) => conflict.columns(['consumer', 'replica']).doUpdateSet(row))
      .execute();
  }
};

/** What every registry has said, newest first. */
export const listConsumers = async (database: Database): Promise<readonly SeenConsumer[]> => {
  const rows = await database.selectFrom('consumers').selectAll().orderBy('seen_at', 'desc').execute();
  return rows.map(({ replica, seen_at, entry }) => ({
    replica,
    seenAtMs: Number(seen_at),
    entry: JSON.parse(entry) as ConsumerEntry,
  }));
};
