// The disk of a registry on SQLite runs full between two writes and in the middle of one: it refuses in words and goes on
// reading, nothing is half there, and it writes again once there is room.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { emptyDisk, fillDisk } from '#test/chaos/faults/full-disks.ts';
import { ADMIN_KEY, callApi } from '#test/integration/registry-harness.ts';
import { type RegistryProcess, startRegistryProcess } from '#test/integration/registry-replica.ts';
import { auditSecretsIn } from '#test/support/audit-secrets.ts';
import { type KeyServer, publishKey, startKeyServer } from '#test/support/token-issuer.ts';

/** Room beyond the largest file there is: none, less than a page, and a few pages of what one write needs. */
const ROOMS = [0, 1_000, 10_000, 30_000];

let directory: string;
let keys: KeyServer;
let registry: RegistryProcess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'full-'));
  keys = await startKeyServer([publishKey(ADMIN_KEY)]);
  registry = await startRegistryProcess({ directory, jwksUri: keys.url });
});
afterEach(async () => {
  await registry.kill();
  await keys.stop();
  rmSync(directory, { recursive: true });
});

const tenantUrl = (): string => `${registry.url}/v1/tenants/acme`;

const rename = (displayName: string) =>
  callApi(tenantUrl(), 'PUT', {
    body: { displayName, accessContact: '' },
    headers: displayName === 'first' ? { 'if-none-match': '*' } : { 'if-match': '*' },
  });

const nameNow = async (): Promise<unknown> =>
  ((await callApi(tenantUrl(), 'GET')).body as unknown as { displayName?: unknown }).displayName;

const databaseFile = (): string => {
  const state = join(directory, 'state');
  const found = readdirSync(state, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('.db'),
  );
  return join(state, found ?? '');
};

const largestBytes = (): number =>
  Math.max(
    ...['', '-wal'].map((end) => statSync(databaseFile() + end, { throwIfNoEntry: false })?.size ?? 0),
  );

it('refuses in words, reads on, and writes again once there is room', async () => {
  expect((await rename('first')).status).toBe(201);
  let last = 'first';
  for (const room of ROOMS) {
    await fillDisk([registry.pid], largestBytes() + room);
    let refused = 0;
    for (let turn = 0; turn < 6; turn += 1) {
      const name = `room ${room}, ${turn}`;
      const { status } = await rename(name);
      if (status === 200) last = name;
      else refused += 1;
      expect([200, 503]).toContain(status);
      expect(await nameNow()).toBe(last);
    }
    expect(refused).toBeGreaterThan(0);
    await emptyDisk([registry.pid]);
    last = `after ${room}`;
    expect((await rename(last)).status).toBe(200);
    expect(await nameNow()).toBe(last);
  }
  await registry.kill();
  const store = openSqliteStore(databaseFile(), auditSecretsIn(join(directory, 'state')));
  expect(await store.findAuditFault()).toBeUndefined();
  expect((await store.findTenant('acme'))?.tenant.displayName).toBe(last);
  await store.close();
}, 60_000);
