import { describe, expect, it } from 'vitest';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { createIdStep } from '#ext-proc/validation/id-step.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const ORDERS = ordersOff({ guard: 'rules', jsonRpcId: 'call-1' });

const faultOf = async (id: unknown, guard: ServerResponseGuard): Promise<string | undefined> => {
  const read = readAnswerMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: {} })), {
    strict: true,
  });
  if (!read.ok) return expect.unreachable();
  const context = {
    orders: ORDERS,
    rules: answerRules({ guard }),
    kind: 'other',
    isErrorBody: false,
    replica: undefined,
  } as const;
  const outcome = await createIdStep(() => {})(read.value, context);
  return outcome.ok ? undefined : outcome.error.fault;
};

const FINDINGS = [{ detector: 'secrets', action: 'redact' }] as const;

describe('the id of an answer', () => {
  it.each<[string, unknown, ServerResponseGuard, string | undefined]>([
    ['passes where it is that of the call', 'call-1', {}, undefined],
    ['is a fault where it is that of another', 'call-2', {}, 'message_id'],
    ['is a fault where only its type is another', 1, {}, 'message_id'],
    ['is only reported where the tenant wants that', 'call-2', { results: 'report' }, undefined],
    ['is not looked at where nothing is', 'call-2', { results: 'off' }, undefined],
    [
      'is looked at for the sake of other rules',
      'call-2',
      { results: 'off', findings: FINDINGS },
      'message_id',
    ],
  ])('%s', async (_, id, guard, fault) => {
    expect(await faultOf(id, guard)).toBe(fault);
  });
});
