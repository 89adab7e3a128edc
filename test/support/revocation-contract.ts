// What every store keeps of revocations: one mark a target that only moves forward, each in the audit with whom it is about
// sealed, told to the feed, and gone when nothing from before it can live.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Revocation } from '#core/revocation.ts';
import type { RecordedRevocation } from '#registry/store/revocation.ts';
import type { Store } from '#registry/store/store.ts';
import { record, type StoreUnderTest } from '#test/support/store-contract.ts';

const NOON = 1_767_268_800;
const DAY = 24 * 3_600;

export const MARK: Revocation = {
  id: 'mark-1',
  tenantId: 'acme',
  target: { kind: 'subject', issuerId: 'corporate', subject: 'mallory@example.com' },
  notBefore: NOON,
  source: 'operator',
  reason: 'laptop stolen',
  actor: 'ada',
  at: '2026-01-01T12:00:00.000Z',
  until: NOON + 7 * DAY,
};

export const describeRevocations = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`revocations in the ${name} store`, () => {
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

    const put = async (change: Partial<Revocation> = {}, nowSeconds = NOON): Promise<RecordedRevocation> => {
      const revocation = { ...MARK, ...change };
      const written = await store.recordRevocation({
        revocation,
        record: { ...record('revoke subject'), reason: 'laptop stolen' },
        nowSeconds,
      });
      if (!written.ok) throw new Error(written.error);
      return written.value;
    };

    const fed = async (after = 0) => {
      const { items } = await store.readAfter(after, 100, after);
      return items.flatMap((item) => (item.kind === 'revocation' ? [item.revocation] : []));
    };

    it('keeps a mark, and the feed tells it with the commit', async () => {
      const before = await store.lastSequence();
      const { stored, changed } = await put();
      expect(changed).toBe(true);
      expect(stored).toEqual({ ...MARK, sequence: before + 1 });
      expect(await store.findRevocation('acme', 'mark-1')).toEqual(stored);
      expect(await store.findRevocation('globex', 'mark-1')).toBeUndefined();
      expect(await fed(before)).toEqual([MARK]);
      expect(await fed(before + 1)).toEqual([]);
    });

    it('changes nothing for what is said twice, or late', async () => {
      const { stored } = await put();
      const before = await store.lastSequence();
      for (const notBefore of [NOON, NOON - 60])
        expect(await put({ id: 'mark-2', notBefore, reason: 'again' })).toEqual({ stored, changed: false });
      expect(await store.lastSequence()).toBe(before);
      expect(await store.listAudit('acme', { limit: 10 })).toHaveLength(1);
    });

    it('moves the mark of a target forward, under its id, and tells the feed the newest only', async () => {
      const first = await put();
      const moved = await put({ id: 'mark-2', notBefore: NOON + 60, until: NOON + 60 + 7 * DAY });
      expect(moved).toMatchObject({ changed: true, stored: { id: 'mark-1', notBefore: NOON + 60 } });
      expect(moved.stored.sequence).toBeGreaterThan(first.stored.sequence);
      expect(await fed()).toEqual([{ ...MARK, notBefore: NOON + 60, until: NOON + 60 + 7 * DAY }]);
    });

    it('takes what differs in tenant, issuer, subject or kind for another target', async () => {
      const targets: readonly Partial<Revocation>[] = [
        {},
        { tenantId: 'globex' },
        { target: { kind: 'subject', issuerId: 'partner', subject: 'mallory@example.com' } },
        { target: { kind: 'subject', issuerId: 'corporate', subject: 'eve@example.com' } },
        { target: { kind: 'token', issuerId: 'corporate', tokenId: 'mallory@example.com' } },
      ];
      for (const [index, target] of targets.entries())
        expect((await put({ ...target, id: `mark-${index}` })).changed).toBe(true);
      expect(await fed()).toHaveLength(targets.length);
    });

    it('lists the marks of a tenant, newest first, in pages', async () => {
      for (const subject of ['ada', 'bob', 'eve'])
        await put({ id: `mark-${subject}`, target: { kind: 'subject', issuerId: 'corporate', subject } });
      await put({ id: 'other', tenantId: 'globex' });
      const [newest, ...rest] = await store.listRevocations('acme', { limit: 2 });
      expect([newest, ...rest].map((mark) => mark?.id)).toEqual(['mark-eve', 'mark-bob']);
      const older = await store.listRevocations('acme', { limit: 2, before: rest.at(-1)?.sequence ?? 0 });
      expect(older.map(({ id }) => id)).toEqual(['mark-ada']);
    });

    it('forgets a mark once nothing from before it can live', async () => {
      await put();
      await put({ id: 'later', tenantId: 'globex' }, MARK.until - 1);
      expect(await fed()).toHaveLength(2);
      await put({ id: 'last', tenantId: 'initech', until: MARK.until + DAY }, MARK.until);
      expect((await fed()).map(({ id }) => id)).toEqual(['last']);
    });

    it('puts who, what and why into the audit, and whom it is about only sealed', async () => {
      const { stored } = await put();
      const [entry] = await store.listAudit('acme', { limit: 1 });
      expect(entry).toMatchObject({
        kind: 'event',
        actor: 'ada',
        action: 'revoke subject',
        reason: 'laptop stolen',
        sequence: stored.sequence,
        target: '["subject","corporate","mallory@example.com"]',
      });
      expect(await store.findAuditFault()).toBeUndefined();
    });

    it('survives the process', async () => {
      const { stored } = await put();
      await store.close();
      store = await under.open();
      expect(await store.findRevocation('acme', 'mark-1')).toEqual(stored);
    });
  });
};
