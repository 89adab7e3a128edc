// The copy on disk: what is written is what is read, a kill at any byte leaves the last good state, damage leaves none.

import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyTenantChange, EMPTY_SNAPSHOT, type Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  continueCopy,
  loadSnapshotFile,
  type WrittenCopy,
  writeWholeCopy,
} from '#registry/feed/snapshot-file.ts';
import { recordsBetween, type SavedSnapshot } from '#registry/feed/snapshot-records.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { historyArbitrary } from '#test/support/tenant-histories.ts';

/** Long ago, so that the age a file really has is never older. */
const NOW = 1_700_000_000_000;

let directory = '';
let path = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'copy-'));
  path = join(directory, 'copy.json');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const saved = (snapshot: Snapshot): SavedSnapshot => ({
  epoch: 'e',
  position: snapshot.sequence,
  snapshot,
  freshAtMs: NOW - 1_000 + snapshot.sequence,
});

const put = (snapshot: Snapshot, tenant: Tenant): Snapshot =>
  applyTenantChange(snapshot, { kind: 'upsert', sequence: snapshot.sequence + 1, tenant });

const remove = (snapshot: Snapshot, tenantId: string): Snapshot =>
  applyTenantChange(snapshot, { kind: 'remove', sequence: snapshot.sequence + 1, tenantId });

/** Writes each state in turn. @returns the bytes of the file after each */
const writeAll = async (states: readonly Snapshot[]): Promise<readonly number[]> => {
  const sizes: number[] = [];
  let written: WrittenCopy | undefined;
  for (const state of states) {
    written =
      written === undefined
        ? await writeWholeCopy(path, saved(state))
        : await continueCopy(path, written, saved(state));
    sizes.push(written?.bytes ?? -1);
  }
  return sizes;
};

const load = () => loadSnapshotFile(path, NOW);

const statesArbitrary = fc
  .tuple(historyArbitrary, historyArbitrary, fc.array(fc.nat(3), { maxLength: 12 }))
  .map(([acme, beta, order]) => {
    const rest = { acme: [...acme], beta: beta.map((tenant) => ({ ...tenant, id: 'beta' })) };
    const states: Snapshot[] = [{ sequence: 1, tenants: [] }];
    for (const step of order) {
      const last = states.at(-1) ?? EMPTY_SNAPSHOT;
      const next = step === 1 ? rest.beta.shift() : rest.acme.shift();
      if (step === 0) states.push(remove(last, 'acme'));
      else if (next !== undefined) states.push(put(last, next));
    }
    return states;
  });

describe('the copy on disk', () => {
  it('holds the last of any states that were written to it', async () => {
    await fc.assert(
      fc.asyncProperty(statesArbitrary, async (states) => {
        await writeAll(states);
        const last = states.at(-1) ?? EMPTY_SNAPSHOT;
        expect(await load()).toEqual({ ok: true, value: saved(last) });
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('holds a tenant of many servers, which is written in parts', async () => {
    const tenant = largeTenant('acme', { servers: 100, tools: 2 });
    const snapshot = put(EMPTY_SNAPSHOT, tenant);
    expect([...recordsBetween(EMPTY_SNAPSHOT, snapshot)].length).toBeGreaterThan(5);
    await writeAll([snapshot]);
    expect(await load()).toEqual({ ok: true, value: saved(snapshot) });
  });

  it('cut at any byte holds the last state that was complete by then, with the age of that', async () => {
    const acme = sampleTenant('acme');
    const first = put(put(EMPTY_SNAPSHOT, acme), sampleTenant('beta'));
    const states = [first, put(first, { ...acme, revision: 2, displayName: 'Ä' }), remove(first, 'beta')];
    const sizes = await writeAll(states);
    const whole = readFileSync(path);
    for (let cut = 0; cut < whole.length; cut += 1) {
      writeFileSync(path, whole.subarray(0, cut));
      const complete = states.filter((_, index) => (sizes[index] ?? 0) <= cut).at(-1);
      const loaded = await load();
      if (complete === undefined) expect(loaded.ok, `cut at ${cut}`).toBe(false);
      else
        expect(loaded, `cut at ${cut}`).toMatchObject({
          ok: true,
          value: { position: complete.sequence, snapshot: complete },
        });
      if (complete !== undefined && !sizes.includes(cut))
        expect(loaded).toMatchObject({ value: { freshAtMs: saved(complete).freshAtMs } });
    }
  }, 60_000);

  it('is none once a line of it was changed, left out or moved', async () => {
    const acme = sampleTenant('acme');
    const first = put(EMPTY_SNAPSHOT, acme);
    await writeAll([
      first,
      put(first, { ...acme, killSwitches: [] }),
      put(first, { ...acme, displayName: 'x' }),
    ]);
    const lines = readFileSync(path, 'utf8').split('\n');
    for (let at = 0; at < lines.length - 2; at += 1) {
      const [before, line = '', after] = [lines.slice(0, at), lines[at], lines.slice(at + 1)];
      const [next = '', ...rest] = after;
      const damages = [
        [...before, `${line.slice(0, -2)}0${line.slice(-1)}`, ...after],
        [...before, ...after],
        [...before, next, line, ...rest],
      ];
      for (const damaged of damages) {
        writeFileSync(path, damaged.join('\n'));
        expect((await load()).ok, `line ${at}`).toBe(false);
      }
    }
  });

  it('grows by what changed, among a thousand servers as among ten', async () => {
    const growth: number[] = [];
    for (const servers of [10, 1_000]) {
      const tenant = largeTenant('acme', { servers, tools: 2 });
      const before = put(EMPTY_SNAPSHOT, tenant);
      const [server, ...others] = tenant.servers;
      if (server === undefined) throw new Error('there is one');
      const changed = { ...tenant, servers: [{ ...server, enabled: false }, ...others] };
      const [whole = 0, continued = 0] = await writeAll([before, put(before, changed)]);
      growth.push(continued - whole);
      expect(await load()).toMatchObject({ value: { snapshot: { tenants: [changed] } } });
    }
    expect(growth[1]).toBe(growth[0]);
    expect(growth[0]).toBeLessThan(3_000);
  }, 60_000);

  it('is written whole where somebody else has touched or removed it', async () => {
    const state = put(EMPTY_SNAPSHOT, sampleTenant('acme'));
    const written = await writeWholeCopy(path, saved(state));
    const next = saved(put(state, sampleTenant('beta')));
    writeFileSync(path, 'x', { flag: 'a' });
    expect(await continueCopy(path, written, next)).toBeUndefined();
    rmSync(path);
    expect(await continueCopy(path, written, next)).toBeUndefined();
  });

  it('of a program before this one is read', async () => {
    const snapshot = put(EMPTY_SNAPSHOT, sampleTenant('acme'));
    const body = JSON.stringify(snapshot);
    const digest = createHash('sha256')
      .update(JSON.stringify([2, 'e', 1]))
      .update(body)
      .digest('hex');
    writeFileSync(path, `${JSON.stringify({ format: 2, epoch: 'e', position: 1, digest })}\n${body}\n`);
    expect(await load()).toMatchObject({ ok: true, value: { epoch: 'e', position: 1, snapshot } });
    writeFileSync(path, `${JSON.stringify({ format: 2, epoch: 'e', position: 2, digest })}\n${body}\n`);
    expect((await load()).ok).toBe(false);
  });

  it('leaves no other file behind', async () => {
    await writeAll([put(EMPTY_SNAPSHOT, sampleTenant('acme'))]);
    expect(readdirSync(directory)).toEqual(['copy.json']);
    expect(statSync(path).mtimeMs).toBe(NOW - 999);
  });
});
