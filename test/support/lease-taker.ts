// Run as a process of its own: claims every lease of a list in shared state in a SQLite file, as fast as it can, and prints
// those it got. Begins when it is told to on its standard input.

import { once } from 'node:events';
import { createLogger } from '#runtime/logger.ts';
import { openSqliteState } from '#runtime/shared-state/sqlite-state.ts';

const [path = '', holder = '', count = '0'] = process.argv.slice(2);
process.stdout.write('waiting\n');
await once(process.stdin, 'data');
const state = openSqliteState({ path, deadlineMs: 20_000, logger: createLogger('test', 'silent') });
const got: number[] = [];
for (let lease = 0; lease < Number(count); lease += 1) {
  const claimed = await state.claim(`lease ${lease}`, { holder, lifetimeMs: 3_600_000 });
  if (!claimed.ok) throw new Error(claimed.error);
  if (claimed.value) got.push(lease);
  await state.write(`value ${holder} ${lease}`, { value: holder, lifetimeMs: 3_600_000, owner: holder });
}
await state.stop();
process.stdout.write(`${JSON.stringify(got)}\n`);
process.exit(0);
