// Run as a process of its own, to be killed: writes tenants without a pause and says which writes were acknowledged,
// one line each, before it makes the next.

import { writeSync } from 'node:fs';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const [path = '', round = ''] = process.argv.slice(2);
const store = openSqliteStore(path, TEST_AUDIT);
// Large enough for a commit to span many pages of the file.
const padding = 'x'.repeat(20_000);

for (let n = 0; ; n += 1) {
  const id = `tenant-${n % 5}`;
  const before = await store.findTenant(id);
  const tenant = { ...sampleTenant(id), displayName: `${round}-${n}`, accessContact: padding };
  const record = { actor: 'writer', action: 'put tenant', reason: round, at: new Date().toISOString() };
  const written = await store.write({
    tenantId: id,
    before,
    tenant,
    changes: ['tenant: changed'],
    record,
  });
  if (!written.ok) throw new Error(written.error);
  writeSync(1, `${id} ${written.value.revision} ${written.value.sequence} ${tenant.displayName}\n`);
}
