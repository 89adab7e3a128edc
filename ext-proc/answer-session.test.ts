import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GuardOrders, guardOrdersToJson } from '#core/guard-orders.ts';
import { createAnswerSession, type SessionParts } from '#ext-proc/answer-session.ts';
import { createHeldBytes } from '#ext-proc/held-bytes.ts';
import { createListStep } from '#ext-proc/lists/list-step.ts';
import { createLiveStreams } from '#ext-proc/live-streams.ts';
import { createMeasures } from '#ext-proc/measures.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { toStruct } from '#test/support/ext-proc-envoy.ts';
import { ordersOff, ordersTools, toolsAnswer } from '#test/support/guarded-call.ts';
import { SEALER } from '#test/support/session-world.ts';

type Reply = Record<string, Record<string, unknown>>;

let replies: Reply[];
let failures: string[];
let parts: SessionParts;

const silent = createLogger('test', 'silent');

const start = (overrides: Partial<SessionParts> = {}) =>
  createAnswerSession(
    { ...parts, ...overrides },
    { reply: (reply) => void replies.push(reply as Reply), fail: (details) => void failures.push(details) },
  );

const head = (orders: GuardOrders | undefined, type = 'text/event-stream') => ({
  request: 'response_headers',
  response_headers: {
    headers: {
      headers: [
        { key: ':status', value: '', raw_value: Buffer.from('200') },
        { key: 'content-type', value: '', raw_value: Buffer.from(type) },
      ],
    },
    end_of_stream: false,
  },
  metadata_context: {
    filter_metadata:
      orders === undefined ? {} : { 'envoy.filters.http.ext_authz': toStruct(guardOrdersToJson(orders)) },
  },
});
const chunk = (text: string, endOfStream = false) => ({
  request: 'response_body',
  response_body: { body: Buffer.from(text), end_of_stream: endOfStream },
});
const TRAILERS = { request: 'response_trailers', response_trailers: {} };

const kinds = () => replies.flatMap((reply) => Object.keys(reply).filter((key) => key !== 'mode_override'));

/** The error in the place of a chunk, from the reply to it. */
const errorIn = (reply: Reply | undefined): unknown => {
  const response = reply?.['response_body']?.['response'] as Reply | undefined;
  return JSON.parse(String(response?.['body_mutation']?.['body']).split('data: ')[1] ?? '');
};

afterEach(() => {
  vi.useRealTimers();
});

beforeEach(() => {
  replies = [];
  failures = [];
  parts = {
    limits: { maxBodyBytes: 1000, maxEventBytes: 1000 },
    liveStreams: createLiveStreams(),
    heldBytes: createHeldBytes(1500, () => {}),
    measures: createMeasures(createMetrics('test'), silent),
    sealer: SEALER,
    rulesFor: () => answerRules(),
    steps: [createListStep({ report: () => {}, drift: { saw: () => {} } })],
    endedBy: () => undefined,
  };
});

describe('an answer session', () => {
  it('gives one reply to each message', async () => {
    const session = start();
    await session.receive(head(ordersTools(['a']), 'application/json'));
    await session.receive(chunk('{'));
    await session.receive(chunk('}', true));
    expect(kinds()).toEqual(['response_headers', 'response_body', 'response_body']);
    expect(failures).toEqual([]);
  });

  it.each([
    ['a chunk before the head', [chunk('x')]],
    ['a second head', [head(ordersOff()), head(ordersOff())]],
    ['a chunk of an answer that was refused', [head(undefined), chunk('x')]],
    ['a chunk of an answer Envoy was told to keep', [head(ordersOff(), 'application/json'), chunk('x')]],
    ['a part of a request', [{ request: 'request_headers', request_headers: {} }]],
    ['a message that wants no reply', [{ ...head(ordersOff()), observability_mode: true }]],
    ['a message without content', [{}]],
    ['a body that is no bytes', [head(ordersOff()), { request: 'response_body', response_body: {} }]],
    ['trailers alone', [TRAILERS]],
  ])('fails on %s', async (_, messages) => {
    const session = start();
    for (const message of messages) await session.receive(message);
    expect(failures).toEqual(['unexpected_message']);
    expect(parts.liveStreams.count()).toBe(0);
  });

  it('refuses where metadata is not what its kind says', async () => {
    const message = head(ordersOff());
    const fields = { fields: { guard: { kind: 'stringValue', stringValue: 7 } } };
    message.metadata_context.filter_metadata = { 'envoy.filters.http.ext_authz': fields };
    await start().receive(message);
    expect(kinds()).toEqual(['immediate_response']);
    expect(replies[0]?.['immediate_response']?.['status']).toEqual({ code: 502 });
  });

  it('refuses a stream whose server was switched off while the call ran', async () => {
    await start({ endedBy: () => 'switched-off' }).receive(head(ordersOff()));
    expect(replies[0]?.['immediate_response']?.['status']).toEqual({ code: 503 });
    expect(String(replies[0]?.['immediate_response']?.['body'])).toContain('stream_terminated');
  });

  it('lets a whole answer of a server that was switched off be: it was judged, and ends by itself', async () => {
    await start({ endedBy: () => 'switched-off' }).receive(head(ordersOff(), 'application/json'));
    expect(kinds()).toEqual(['response_headers']);
  });

  it('answers a refused event before it fails', async () => {
    const session = start();
    await session.receive(head(ordersTools(['a'])));
    await session.receive(chunk('data: no json\n\n'));
    expect(kinds()).toEqual(['response_headers', 'response_body']);
    expect(failures).toEqual(['answer_refused']);
  });

  it('says nothing where no request waits for the error', async () => {
    const { jsonRpcId: _, ...orders } = ordersTools(['a']);
    const session = start();
    await session.receive(head(orders));
    await session.receive(chunk('data: no json\n\n'));
    expect(replies.slice(1)).toEqual([]);
    expect(failures).toEqual(['answer_refused']);
  });

  it('fails the answer that makes all together hold too much, and gives back what it held', async () => {
    const sessions = [start(), start()];
    for (const session of sessions) {
      await session.receive(head(ordersTools(['a']), 'application/json'));
      await session.receive(chunk('x'.repeat(900)));
    }
    expect(failures).toEqual(['answer_too_large']);
    const third = start();
    await third.receive(head(ordersTools(['a']), 'application/json'));
    await third.receive(chunk('x'.repeat(500)));
    expect(failures).toEqual(['answer_too_large']);
  });

  it('passes trailers unless a held body would be lost with them', async () => {
    const events = start();
    await events.receive(head(ordersTools(['a'])));
    await events.receive(TRAILERS);
    expect(kinds()).toEqual(['response_headers', 'response_trailers']);
    const json = start();
    await json.receive(head(ordersTools(['a']), 'application/json'));
    await json.receive(chunk(toolsAnswer(['a'])));
    await json.receive(TRAILERS);
    expect(failures).toEqual(['answer_refused']);
  });

  it('can be ended from outside while it is open, and not after', async () => {
    const session = start();
    await session.receive(head(ordersOff()));
    await session.receive(chunk('data: 1'));
    expect(parts.liveStreams.terminate(() => true, 'command')).toBe(1);
    expect(failures).toEqual(['stream_terminated']);
    const other = start();
    await other.receive(head(ordersOff()));
    other.close();
    other.close();
    expect(parts.liveStreams.terminate(() => true, 'command')).toBe(0);
    expect(failures).toEqual(['stream_terminated']);
  });

  it.each([false, true])(
    'that is ended tells its client why in the place of what comes (last: %s)',
    async (isLast) => {
      const session = start();
      await session.receive(head(ordersOff()));
      await session.receive(chunk('data: 1\n\n'));
      parts.liveStreams.terminate(() => true, 'revoked');
      expect(failures).toEqual([]);
      await session.receive(chunk('data: 2\n\n', isLast));
      expect(errorIn(replies[2])).toMatchObject({
        id: 'call-1',
        error: { data: { reason: 'stream_terminated', cause: 'revoked' } },
      });
      expect(failures).toEqual(['stream_terminated']);
    },
  );

  it('that is ended while a chunk is judged passes nothing of that chunk', async () => {
    const session = start();
    await session.receive(head(ordersTools(['a'])));
    const judged = session.receive(chunk(`data: ${toolsAnswer(['a'])}\n\n`));
    parts.liveStreams.terminate(() => true, 'switched-off');
    await judged;
    expect(errorIn(replies[1])).toMatchObject({ error: { data: { cause: 'switched-off' } } });
    expect(failures).toEqual(['stream_terminated']);
  });

  it('that is ended waits no longer than a moment for its last words, and passes no trailers meanwhile', async () => {
    vi.useFakeTimers();
    const silentOne = start();
    await silentOne.receive(head(ordersOff()));
    parts.liveStreams.terminate(() => true, 'command');
    vi.advanceTimersByTime(399);
    expect(failures).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(failures).toEqual(['stream_terminated']);
    const ending = start();
    await ending.receive(head(ordersOff()));
    parts.liveStreams.terminate(() => true, 'command');
    await ending.receive(TRAILERS);
    expect(kinds()).toEqual(['response_headers', 'response_headers']);
    vi.advanceTimersByTime(1_000);
    expect(failures).toEqual(['stream_terminated', 'stream_terminated']);
  });

  it('that answers no request is ended at once', async () => {
    const { jsonRpcId: _, ...orders } = ordersOff();
    await start().receive(head(orders));
    parts.liveStreams.terminate(() => true, 'command');
    expect(failures).toEqual(['stream_terminated']);
  });

  it('that is interrupted ends with an error to its client, in the place of the next chunk', async () => {
    const session = start();
    await session.receive(head(ordersOff()));
    await session.receive(chunk('data: 1\n\n'));
    parts.liveStreams.interruptAll();
    expect(failures).toEqual([]);
    await session.receive(chunk('data: 2\n\n'));
    expect(errorIn(replies[2])).toMatchObject({
      id: 'call-1',
      error: { data: { reason: 'stream_terminated' } },
    });
    expect(failures).toEqual(['stream_terminated']);
  });

  it('that is interrupted may end by itself, and one that answers no request goes on', async () => {
    const { jsonRpcId: _, ...orders } = ordersOff();
    const ending = start();
    await ending.receive(head(ordersOff()));
    const listening = start();
    await listening.receive(head(orders));
    parts.liveStreams.interruptAll();
    await ending.receive(chunk('data: 1\n\n', true));
    await listening.receive(chunk('data: 1\n\n'));
    expect(kinds()).toEqual(['response_headers', 'response_headers', 'response_body', 'response_body']);
    expect(failures).toEqual([]);
  });
});
