// Properties of the event guard where no rule changes anything: a reader sees what it would have seen without it, however
// the stream is written and wherever the network cuts it.

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import { createEventGuard } from '#ext-proc/event-guard.ts';
import { createMessageJudge } from '#ext-proc/message/judge-message.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const guarded = async (chunks: readonly Uint8Array[]) => {
  const faults: AnswerFault[] = [];
  const judge = createMessageJudge([async (message) => ({ ok: true, value: message })], {
    orders: ordersOff({ guard: 'rules' }),
    rules: answerRules(),
    replica: undefined,
  });
  const guard = createEventGuard({
    judge,
    maxEventBytes: 10_000,
    unreadable: 'refuse',
    refusal: () => undefined,
    report: { refused: (fault) => void faults.push(fault), unread: () => {}, opened: () => {} },
  });
  const out: Uint8Array[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const step = await guard.push(chunk, index === chunks.length - 1);
    if (step.kind !== 'forward') out.push(step.bytes);
  }
  return { text: Buffer.concat(out).toString('utf8'), faults };
};

/** All that a reader is told by a stream. */
const read = (text: string): unknown[] => {
  const told: unknown[] = [];
  const parser = createParser({
    onEvent: ({ data, id, event }) => told.push({ data, id, event: event ?? 'message' }),
    onComment: (comment) => told.push({ comment: comment.trim() }),
    onRetry: (retry) => told.push({ retry }),
  });
  parser.feed(text);
  return told;
};

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const message = words.map((text) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: `ü€😀${text}` } }),
);
const plain = fc.stringMatching(/^[\w é€😀-]{0,12}$/u);
const event = fc.record({
  comment: fc.option(plain),
  retry: fc.option(fc.nat(100_000)),
  id: fc.option(fc.stringMatching(/^[\w-]{1,8}$/)),
  named: fc.boolean(),
  data: fc.option(message),
  newline: fc.constantFrom('\n', '\r', '\r\n'),
});
// Written in the order in which the guard writes them: a reader is told of comments and `retry` as it comes to them.
const stream = fc
  .array(event, { minLength: 1, maxLength: 6 })
  .map((events) =>
    events
      .map(({ comment, retry, id, named, data, newline }) =>
        [
          ...(comment === null ? [] : [`: ${comment}`]),
          ...(named ? ['event: message'] : []),
          ...(id === null ? [] : [`id: ${id}`]),
          ...(retry === null ? [] : [`retry: ${retry}`]),
          ...(data === null ? [] : [`data: ${data}`]),
          '',
          '',
        ].join(newline),
      )
      .join(''),
  );

describe('the event guard without a rule', () => {
  it('tells a reader what the server tells, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(2_000), { maxLength: 12 }), async (text, positions) => {
        const bytes = Buffer.from(text);
        const cuts = [0, ...positions.map((at) => at % (bytes.length + 1)), bytes.length].toSorted(
          (a, b) => a - b,
        );
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        const { text: out, faults } = await guarded(chunks);
        expect(faults).toEqual([]);
        expect(read(out)).toEqual(read(text));
      }),
      { numRuns: 500 },
    );
  });

  it('tells it byte by byte too', async () => {
    const text = `: é\r\nretry: 7\r\nid: 1\r\ndata: {"jsonrpc":"2.0","method":"€😀"}\r\n\r\n`;
    const { text: out } = await guarded([...Buffer.from(text)].map((byte) => Buffer.from([byte])));
    expect(read(out)).toEqual(read(text));
  });
});
