// Run as a process of its own, to be killed: keeps a copy of a tenant that changes all the time, and says of which state it
// has seen a copy on disk. Large, so that most of its life it is writing.

import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import { createSnapshotKeeper } from '#registry/feed/snapshot-keeper.ts';
import { createLogger } from '#runtime/logger.ts';
import { largeTenant } from '#test/support/large-tenant.ts';

const [path = ''] = process.argv.slice(2);
const keeper = createSnapshotKeeper(path, createLogger('writer', 'error'));
const tenant = largeTenant('acme', { servers: 50, tools: 20 });
for (let sequence = 1; ; sequence += 1) {
  const servers = tenant.servers.map((server, at) =>
    at % 5 === sequence % 5 ? { ...server, displayName: String(sequence) } : server,
  );
  const tenants = [{ ...tenant, revision: sequence, servers }];
  keeper.keep({ epoch: 'e', position: sequence, snapshot: { sequence, tenants }, freshAtMs: Date.now() });
  await sleep(50);
  const loaded = await loadSnapshotFile(path, Date.now());
  if (loaded.ok && loaded.value !== undefined) writeSync(1, `${loaded.value.snapshot.sequence}\n`);
}
