// Which answers open a session, and which are failed because their session cannot be sealed.

import { describe, expect, it } from 'vitest';
import type { GuardOrders } from '#core/guard-orders.ts';
import { openSession } from '#core/sealed-session.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import type { AnswerHead } from '#ext-proc/answer-head.ts';
import { ownerOf, sealAnswer } from '#ext-proc/session/seal-answer.ts';
import { ordersOff } from '#test/support/guarded-call.ts';
import { SEALER, SESSION_KEY } from '#test/support/session-world.ts';

const ORDERS = ordersOff({ guard: 'session', method: 'initialize' });
const REPLICA = '10.0.0.1:80';

const seal = (
  head: Partial<AnswerHead> = {},
  { orders = ORDERS, replica = REPLICA }: { orders?: GuardOrders; replica?: string | undefined } = {},
) => {
  const whole: AnswerHead = {
    status: 200,
    media: 'json',
    coding: 'identity',
    sessionIds: ['u-1'],
    endOfStream: false,
    ...head,
  };
  return sealAnswer({ head: whole, replica: replica === '' ? undefined : replica }, orders, SEALER);
};

describe('sealAnswer()', () => {
  it('seals what the server said, where it was said, in which version and when', () => {
    const sealed = seal();
    const text = sealed.ok ? (sealed.value ?? '') : '';
    expect(openSession(sealingKeysOf([SESSION_KEY]), text, ownerOf(ORDERS))).toEqual({
      ok: true,
      value: { id: 'u-1', host: REPLICA, version: ORDERS.version, startedAt: 0 },
    });
  });

  it.each([
    ['an answer without a session', seal({ sessionIds: [] })],
    ['an error', seal({ status: 400 })],
    ['an answer to another call', seal({}, { orders: ordersOff() })],
  ])('opens none for %s', (_what, sealed) => {
    expect(sealed).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ['two ids', 'session_id', seal({ sessionIds: ['a', 'b'] })],
    ['an empty id', 'session_id', seal({ sessionIds: [''] })],
    ['an id no header should hold', 'session_id', seal({ sessionIds: ['a b'] })],
    ['an id that is too long', 'session_id', seal({ sessionIds: ['x'.repeat(5_000)] })],
    ['nobody who answered', 'replica_unknown', seal({}, { replica: '' })],
  ])('fails an answer with %s', (_what, fault, sealed) => {
    expect(sealed).toEqual({ ok: false, error: { reason: 'answer_refused', fault } });
  });
});
