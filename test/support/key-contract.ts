// What is asked of a store about requests that name themselves, and about looking into the past. For every database.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyReservation, KeyState } from '#registry/store/keyed-request.ts';
import type { Store, TenantWrite } from '#registry/store/store.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { record, type StoreUnderTest, writeOf } from '#test/support/store-contract.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 24 * 3_600_000;

const ANSWER = { status: 200, headers: { etag: '"2"' }, body: '{"revision":2}' };

const reservation = (changes: Partial<KeyReservation> = {}): KeyReservation => ({
  scope: 'scope',
  owner: 'first',
  tenantId: 'acme',
  fingerprint: 'request',
  ...changes,
});

/** The contract of keys. */
export const describeKeys = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`keys of requests in the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
      await store.write(writeOf(sampleTenant('acme'), null));
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const reserve = (changes: Partial<KeyReservation> = {}, nowMs = NOW): Promise<KeyState> =>
      store.reserveKey(reservation(changes), nowMs);

    const keyedWrite = (owner: string): TenantWrite => ({
      ...writeOf({ ...sampleTenant('acme'), displayName: owner }, 1),
      record: { ...record(), request: { scope: 'scope', owner } },
    });

    it('are had by one attempt, while it runs', async () => {
      expect(await reserve()).toEqual({ kind: 'reserved' });
      expect(await reserve({ owner: 'second' })).toEqual({ kind: 'running' });
      expect(await reserve({ fingerprint: 'another' })).toEqual({ kind: 'other-request' });
      expect(await reserve({ scope: 'another' })).toEqual({ kind: 'reserved' });
    });

    it('are had by one of many that ask at once', async () => {
      const owners = Array.from({ length: 12 }, (_, index) => `owner-${index}`);
      const states = await Promise.all(owners.map((owner) => reserve({ owner })));
      expect(states.filter(({ kind }) => kind === 'reserved')).toHaveLength(1);
      expect(states.filter(({ kind }) => kind === 'running')).toHaveLength(11);
    });

    it('are given back by a refusal, and by nobody else', async () => {
      await reserve();
      await store.releaseKey({ scope: 'scope', owner: 'second' });
      expect(await reserve({ owner: 'second' })).toEqual({ kind: 'running' });
      await store.releaseKey({ scope: 'scope', owner: 'first' });
      expect(await reserve({ owner: 'second' })).toEqual({ kind: 'reserved' });
    });

    it('are answered again and again, also after a restart', async () => {
      await reserve();
      expect(await store.write(keyedWrite('first'))).toMatchObject({ ok: true });
      expect(await store.keepAnswer({ scope: 'scope', owner: 'first' }, ANSWER)).toBe(true);
      expect(await store.keepAnswer({ scope: 'scope', owner: 'second' }, ANSWER)).toBe(false);
      const again = await under.open();
      expect(await again.reserveKey(reservation(), NOW + DAY_MS)).toEqual({
        kind: 'answered',
        answer: ANSWER,
      });
      await again.close();
      expect(await reserve({ fingerprint: 'another' })).toEqual({ kind: 'other-request' });
    });

    it('of an attempt that died before it did anything go to the next one', async () => {
      await reserve();
      expect(await reserve({ owner: 'second' }, NOW + 60_000)).toEqual({ kind: 'running' });
      expect(await reserve({ owner: 'second' }, NOW + 60_001)).toEqual({ kind: 'reserved' });
      // It was not dead after all: what it does now is undone.
      await expect(store.write(keyedWrite('first'))).rejects.toMatchObject({ code: 'store_failed' });
      expect((await store.findTenant('acme'))?.tenant.revision).toBe(1);
      expect(await store.lastSequence()).toBe(1);
      expect(await store.write(keyedWrite('second'))).toMatchObject({ ok: true });
    });

    it('of an attempt that died after its commit tell that it was done, and are never done again', async () => {
      await reserve();
      await store.write(keyedWrite('first'));
      await store.releaseKey({ scope: 'scope', owner: 'first' });
      expect(await reserve({ owner: 'second' })).toEqual({ kind: 'running' });
      expect(await reserve({ owner: 'second' }, NOW + 60_001)).toEqual({ kind: 'unanswered', sequence: 2 });
    });

    it('settle an event as they settle a change', async () => {
      await reserve();
      const event = {
        kind: 'terminate-streams',
        id: 'e1',
        tenantId: 'acme',
        reason: 'because',
        actor: 'ada',
        at: new Date(NOW).toISOString(),
      } as const;
      const of = (owner: string) => ({ ...record(), request: { scope: 'scope', owner } });
      await expect(store.announce(event, of('second'))).rejects.toMatchObject({ code: 'store_failed' });
      await store.announce(event, of('first'));
      expect(await reserve({}, NOW + 60_001)).toEqual({ kind: 'unanswered', sequence: 2 });
    });

    it('are forgotten after a day', async () => {
      await reserve();
      await store.keepAnswer({ scope: 'scope', owner: 'first' }, ANSWER);
      expect(await reserve({}, NOW + DAY_MS)).toMatchObject({ kind: 'answered' });
      expect(await reserve({}, NOW + DAY_MS + 1)).toEqual({ kind: 'reserved' });
    });
  });

  describe(`the past in the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const at = (hour: number): string => `2026-01-01T0${hour}:00:00.000Z`;

    const write = async (revision: number, actor: string, changes: object = {}): Promise<void> => {
      const written = await store.write({
        ...writeOf({ ...sampleTenant('acme'), ...changes }, revision === 0 ? null : revision),
        record: { ...record(`put ${actor}_%`, at(revision)), actor },
      });
      expect(written.ok).toBe(true);
    };

    it('is narrowed by actor, time, action and resource', async () => {
      const sample = sampleTenant('acme');
      const [server] = sample.servers;
      const changed = [{ ...server, displayName: 'Changed' }];
      await write(0, 'ada');
      await write(1, 'bob', { displayName: 'Second' });
      await write(2, 'ada', { displayName: 'Second', servers: changed });
      await write(3, 'eve', { displayName: 'Second', servers: changed, grants: [] });
      const numbers = async (filter: object) =>
        (await store.listRevisions('acme', { limit: 10, ...filter })).map(({ number }) => number);
      expect(await numbers({})).toEqual([4, 3, 2, 1]);
      expect(await numbers({ actor: 'ada' })).toEqual([3, 1]);
      expect(await numbers({ since: at(1), until: at(3) })).toEqual([3, 2]);
      expect(await numbers({ resource: 'servers/tracker' })).toEqual([3, 1]);
      expect(await numbers({ resource: 'servers/tracker/versions/1.0.0' })).toEqual([1]);
      expect(await numbers({ resource: 'grants/engineering' })).toEqual([4, 1]);
      expect(await numbers({ resource: 'servers/track' })).toEqual([]);
      expect(await numbers({ resource: 'tenant', limit: 1 })).toEqual([2]);
      expect(await numbers({ resource: 'tenant', limit: 1, before: 2 })).toEqual([1]);
      const audit = async (filter: object) =>
        (await store.listAudit('acme', { limit: 10, ...filter })).map(({ sequence }) => sequence);
      expect(await audit({ actor: 'bob' })).toEqual([2]);
      expect(await audit({ action: 'put a' })).toEqual([3, 1]);
      expect(await audit({ action: 'put ada_%' })).toEqual([3, 1]);
      expect(await audit({ action: 'put %' })).toEqual([]);
      expect(await audit({ until: at(1) })).toEqual([1]);
    });
  });
};
