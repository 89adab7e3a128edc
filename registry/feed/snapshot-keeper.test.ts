import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import { createSnapshotKeeper } from '#registry/feed/snapshot-keeper.ts';
import { createLogger } from '#runtime/logger.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keeper-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the keeper of the copy on disk', () => {
  it('begins after those who act on the snapshot, and writes what waits when it is stopped', async () => {
    const path = join(directory, 'copy.json');
    const keeper = createSnapshotKeeper(path, createLogger('test', 'silent'));
    const tenants = [sampleTenant('acme')];
    let reads = 0;
    const snapshot = {
      sequence: 3,
      get tenants() {
        reads += 1;
        return tenants;
      },
    };
    keeper.keep({ epoch: 'e', position: 3, snapshot, freshAtMs: Date.now() });
    await setImmediate();
    expect(reads).toBe(0);
    await keeper.stop();
    expect(await loadSnapshotFile(path, Date.now())).toMatchObject({
      ok: true,
      value: { snapshot: { sequence: 3, tenants } },
    });
  });
});
