// What one registry commits, the others hear at once: NOTIFY with the commit, LISTEN on a connection of its own. That
// connection may break at any time; whoever relies on it must look by itself now and then.

import { sql } from 'kysely';
import type pg from 'pg';
import type { Database } from '#registry/store/tables.ts';

const CHANNEL = 'mcpgw_registry_commits';

/** Before a broken connection is replaced, milliseconds. */
const PAUSE_MS = 1_000;

/** Part of a commit: Postgres sends it once the commit is one, and not otherwise. */
export const notifyCommit = async (transaction: Database): Promise<void> => {
  await sql`select pg_notify(${CHANNEL}, '')`.execute(transaction);
};

/** Calls `look` when somebody has committed, and whenever that could have been missed. Returns what ends it. */
export const listenForCommits = (createClient: () => pg.Client, look: () => void): (() => Promise<void>) => {
  let current: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;
  const replace = (client: pg.Client): void => {
    if (stopped || client !== current) return;
    current = undefined;
    void client.end().catch(() => undefined);
    retry = setTimeout(connect, PAUSE_MS).unref();
  };
  const connect = (): void => {
    const client = createClient();
    current = client;
    client.on('notification', look);
    client.on('error', () => replace(client));
    client.on('end', () => replace(client));
    client
      .connect()
      .then(() => client.query(`LISTEN ${CHANNEL}`))
      .then(look, () => replace(client));
  };
  connect();
  return async () => {
    stopped = true;
    clearTimeout(retry);
    await current?.end().catch(() => undefined);
  };
};
