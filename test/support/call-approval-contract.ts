// What every store keeps about calls that wait for a person: one question a call, one decision a question, one use a
// decision, and an end to each.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APPROVAL_USE_MS, APPROVAL_WAIT_MS, type ApprovalQuestion } from '#core/call-approval.ts';
import type { CallApproval } from '#registry/store/call-approval.ts';
import type { Store } from '#registry/store/store.ts';
import { record, type StoreUnderTest } from '#test/support/store-contract.ts';

export const QUESTION: ApprovalQuestion = {
  tenantId: 'acme',
  serverId: 'tracker',
  version: '1.0.0',
  method: 'tools/call',
  targets: ['delete_issue'],
  params: { name: 'delete_issue', arguments: { id: 7 } },
  principal: '["https://login.example.com","mallory"]',
  rules: ['destructive'],
};

const NOON = Date.parse('2026-01-01T12:00:00Z');
const DAY_MS = 24 * 3_600_000;

export const describeCallApprovals = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`calls that wait for a person, in the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;
    let ids: number;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
      ids = 0;
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const tryAsk = (change: Partial<ApprovalQuestion> = {}, nowMs = NOON) => {
      ids += 1;
      return store.askApproval({ question: { ...QUESTION, ...change }, newId: `call-${ids}`, nowMs });
    };

    const ask = async (change: Partial<ApprovalQuestion> = {}, nowMs = NOON): Promise<CallApproval> => {
      const asked = await tryAsk(change, nowMs);
      if (!asked.ok) throw new Error(asked.error);
      return asked.value;
    };

    const decide = (id: string, verdict: 'granted' | 'refused', nowMs = NOON) =>
      store.decideApproval({ tenantId: 'acme', id, verdict, record: record('decide'), nowMs });

    const stateOf = async (id: string, nowMs = NOON) =>
      (await store.findCallApproval({ tenantId: 'acme', id, nowMs }))?.state;

    it('finds the question again that was put', async () => {
      const first = await ask();
      expect(first).toMatchObject({ state: 'pending', question: QUESTION, askedAtMs: NOON });
      expect((await ask({}, NOON + 1)).id).toBe(first.id);
      expect((await ask({ params: { name: 'delete_issue', arguments: { id: 8 } } })).id).not.toBe(first.id);
    });

    it('lets a granted call go on once', async () => {
      const { id } = await ask();
      expect((await decide(id, 'granted')).ok).toBe(true);
      expect(await ask()).toMatchObject({ id, state: 'granted', decision: { actor: 'ada' } });
      expect(await stateOf(id)).toBe('used');
      expect(await ask()).toMatchObject({ state: 'pending' });
    });

    it('gives a granted call to one of many who ask for it at once', async () => {
      const { id } = await ask();
      await decide(id, 'granted');
      const other = await under.open();
      const asked = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          (n % 2 === 0 ? store : other)
            .askApproval({ question: QUESTION, newId: `racer-${n}`, nowMs: NOON })
            .catch(() => undefined),
        ),
      );
      await other.close();
      expect(asked.filter((each) => each?.ok === true && each.value.state === 'granted')).toHaveLength(1);
    });

    it('keeps a refused call refused until it ends, and asks anew then', async () => {
      const { id } = await ask();
      await decide(id, 'refused');
      expect(await ask({}, NOON + APPROVAL_WAIT_MS - 1)).toMatchObject({ id, state: 'refused' });
      expect(await ask({}, NOON + APPROVAL_WAIT_MS)).toMatchObject({ state: 'pending' });
      expect(await stateOf(id, NOON + APPROVAL_WAIT_MS)).toBe('expired');
    });

    it('decides a question once', async () => {
      const { id } = await ask();
      await decide(id, 'refused');
      expect(await decide(id, 'granted')).toEqual({ ok: false, error: 'not-pending' });
      expect(await stateOf(id)).toBe('refused');
    });

    it('decides nothing that is over, of another tenant, or not there', async () => {
      const { id } = await ask();
      expect((await decide(id, 'granted', NOON + APPROVAL_WAIT_MS)).ok).toBe(false);
      expect((await decide('nothing', 'granted')).ok).toBe(false);
      const verdict = { id, verdict: 'granted', record: record(), nowMs: NOON } as const;
      expect((await store.decideApproval({ ...verdict, tenantId: 'beta' })).ok).toBe(false);
      expect(await store.findCallApproval({ tenantId: 'beta', id, nowMs: NOON })).toBeUndefined();
    });

    it('lets an approval lapse that nobody uses', async () => {
      const { id } = await ask();
      await decide(id, 'granted');
      expect(await stateOf(id, NOON + APPROVAL_USE_MS)).toBe('expired');
      expect(await ask({}, NOON + APPROVAL_USE_MS)).toMatchObject({ state: 'pending' });
    });

    it('writes decisions into the audit, and what is refused leaves no record', async () => {
      const { id } = await ask();
      await decide(id, 'granted');
      await decide(id, 'granted');
      expect(await store.listAudit('acme', { limit: 10 })).toMatchObject([
        { action: 'decide', actor: 'ada' },
      ]);
      expect(await store.findAuditFault()).toBeUndefined();
    });

    it('bounds what one caller has open, and hinders nobody else', async () => {
      for (let n = 0; n < 20; n += 1) await ask({ params: { n } });
      expect(await tryAsk({ params: { n: 20 } })).toEqual({ ok: false, error: 'too-many' });
      expect((await tryAsk({ params: { n: 0 } })).ok).toBe(true);
      expect((await tryAsk({ principal: '["https://login.example.com","bob"]' })).ok).toBe(true);
    });

    it('lists by state, newest first, in pages', async () => {
      const [first, second, third] = [
        await ask({ params: { n: 1 } }),
        await ask(),
        await ask({ serverId: 's' }),
      ];
      await decide(second.id, 'refused');
      const list = async (page: object, nowMs = NOON) =>
        (await store.listCallApprovals('acme', { page: { limit: 10, ...page }, nowMs })).map(({ id }) => id);
      expect(await list({})).toEqual([third.id, second.id, first.id]);
      expect(await list({ state: 'pending' })).toEqual([third.id, first.id]);
      expect(await list({ before: second.number })).toEqual([first.id]);
      expect(await list({ serverId: 's' })).toEqual([third.id]);
      expect(await list({ state: 'expired' }, NOON + APPROVAL_WAIT_MS)).toHaveLength(3);
      expect(await list({ state: 'pending' }, NOON + APPROVAL_WAIT_MS)).toEqual([]);
    });

    it('forgets what was asked a day after its end', async () => {
      const { id } = await ask();
      await ask({ params: {} }, NOON + APPROVAL_WAIT_MS + DAY_MS + 1);
      expect(await stateOf(id)).toBeUndefined();
    });
  });
};
