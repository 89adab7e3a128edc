// The keeper of the copy on disk: when it writes, how much, and what a kill leaves.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import { createSnapshotKeeper } from '#registry/feed/snapshot-keeper.ts';
import { createLogger } from '#runtime/logger.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
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

  it('gathers changes at the end of the file, and writes all anew once they are more than it', async () => {
    const path = join(directory, 'copy.json');
    const keeper = createSnapshotKeeper(path, createLogger('test', 'silent'));
    const sizes: number[] = [];
    const tenant = largeTenant('acme', { servers: 40, tools: 20 });
    const wholeBytes = JSON.stringify(tenant).length;
    for (let sequence = 1; sequence <= 6; sequence += 1) {
      const tenants = [structuredClone(tenant)];
      keeper.keep({ epoch: 'e', position: sequence, snapshot: { sequence, tenants }, freshAtMs: Date.now() });
      await expect
        .poll(async () => {
          const loaded = await loadSnapshotFile(path, Date.now());
          return loaded.ok ? loaded.value?.snapshot.sequence : undefined;
        })
        .toBe(sequence);
      sizes.push(Math.round(statSync(path).size / wholeBytes));
    }
    await keeper.stop();
    expect(sizes).toEqual([1, 2, 3, 1, 2, 3]);
  }, 30_000);

  it('leaves the last state it has written, or a newer one, when its process is killed', async () => {
    const path = join(directory, 'copy.json');
    const script = join(import.meta.dirname, '../../test/support/copy-dying-writer.ts');
    for (const lifeMs of [150, 300, 500, 800]) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await once(child.stdout, 'data');
      setTimeout(() => child.kill('SIGKILL'), lifeMs);
      await once(child, 'close');
      const written = Number(said.trim().split('\n').at(-1));
      const loaded = await loadSnapshotFile(path, Date.now());
      if (!loaded.ok || loaded.value === undefined) throw new Error(`killed after ${lifeMs} ms: no copy`);
      const { snapshot } = loaded.value;
      expect(snapshot.sequence).toBeGreaterThanOrEqual(written);
      expect(snapshot.tenants.map(({ revision }) => revision)).toEqual([snapshot.sequence]);
    }
  }, 60_000);
});
