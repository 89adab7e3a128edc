// Run as a process of its own, to die: makes one change and kills itself before the statement with the number it was
// given, counted from the first of that change. Says `written` if it lived to see the answer.

import { writeSync } from 'node:fs';
import { Secret } from '#core/secret.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { beforePostgresStatements, beforeSqliteStatements, fullWrite } from '#test/support/store-faults.ts';

const [place = '', number = '0'] = process.argv.slice(2);
const isPostgres = place.startsWith('postgres://');
const store = isPostgres
  ? await openPostgresStore(new Secret(place), TEST_AUDIT)
  : openSqliteStore(place, TEST_AUDIT);
const write = await fullWrite(store);
let left = Number(number);
const count = (): void => {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
};
const end = isPostgres ? beforePostgresStatements(count) : beforeSqliteStatements(count);
const written = await store.write(write);
if (!written.ok) throw new Error(written.error);
end();
writeSync(1, 'written');
process.exit(0);
