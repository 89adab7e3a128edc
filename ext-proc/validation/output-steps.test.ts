import { describe, expect, it } from 'vitest';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { JsonObject } from '#core/json.ts';
import type { CheckMode } from '#core/response-guard.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import type { MessageContext } from '#ext-proc/message/message-step.ts';
import { createOutputSteps } from '#ext-proc/validation/output-steps.ts';
import type { Unfit } from '#ext-proc/validation/unfit-report.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const N = pinnedTool('n', { outputSchema: { type: 'object', properties: { n: { type: 'number' } } } });

const messageOf = (result: JsonObject): AnswerMessage => {
  const value = { jsonrpc: '2.0', id: 'call-1', result };
  return { text: JSON.stringify(value), value };
};

const FITS = messageOf({ structuredContent: { n: 1 } });
const UNFIT = messageOf({ structuredContent: { n: 'x' } });

const run = async (sent: AnswerMessage, left: AnswerMessage, results: CheckMode, tool = N) => {
  const judged: boolean[] = [];
  const reported: Unfit[] = [];
  const orders: GuardOrders = ordersOff({ guard: 'rules', tool: tool.name });
  const rules = answerRules({ tools: [tool], tool: tool.name, guard: { results } });
  const context: MessageContext = {
    orders,
    rules,
    kind: 'tool-result',
    isErrorBody: false,
    replica: undefined,
  };
  const steps = createOutputSteps({
    judged: (_, isValid) => judged.push(isValid),
    report: (unfit) => reported.push(unfit),
  });
  const first = await steps.asSent(sent, context);
  const last = first.ok ? await steps.asLeft(left, context) : first;
  return { passed: last.ok, judged, told: reported.map(({ edited, keyword }) => ({ edited, keyword })) };
};

describe('createOutputSteps()', () => {
  it.each<[string, AnswerMessage, AnswerMessage, CheckMode, Awaited<ReturnType<typeof run>>]>([
    ['fits and stays', FITS, FITS, 'refuse', { passed: true, judged: [true], told: [] }],
    [
      'does not fit',
      UNFIT,
      UNFIT,
      'refuse',
      { passed: false, judged: [false], told: [{ edited: undefined, keyword: 'type' }] },
    ],
    [
      'does not fit, and may pass',
      UNFIT,
      UNFIT,
      'report',
      { passed: true, judged: [false], told: [{ edited: undefined, keyword: 'type' }] },
    ],
    [
      'fits no more once we have changed it',
      FITS,
      UNFIT,
      'refuse',
      { passed: false, judged: [true], told: [{ edited: true, keyword: 'type' }] },
    ],
    [
      'did not fit before we changed it either',
      UNFIT,
      messageOf({ structuredContent: { n: 'y' } }),
      'report',
      { passed: true, judged: [false], told: [{ edited: undefined, keyword: 'type' }] },
    ],
    ['is looked at by nobody', UNFIT, UNFIT, 'off', { passed: true, judged: [], told: [] }],
    [
      'is an error of the tool',
      messageOf({ isError: true }),
      FITS,
      'refuse',
      { passed: true, judged: [], told: [] },
    ],
  ])('counts what the server sent, once, where it %s', async (_, sent, left, mode, expected) => {
    expect(await run(sent, left, mode)).toEqual(expected);
  });

  it('counts nothing of a tool without a schema', async () => {
    expect((await run(FITS, FITS, 'refuse', pinnedTool('free'))).judged).toEqual([]);
  });
});
