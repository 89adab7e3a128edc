// Transforms on the real Envoy: what of a tool's answer reaches the client, as JSON and as a stream, in both eras.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { ProtocolEra } from '#core/mcp-call.ts';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, type GuardedAnswer, ordersOff } from '#test/support/guarded-call.ts';

const MAX_BODY_BYTES = 200_000;
const MAX_EVENT_BYTES = 50_000;

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard({ maxBodyBytes: MAX_BODY_BYTES, maxEventBytes: MAX_EVENT_BYTES });
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

type Form = 'JSON' | 'SSE';

const FORMS: readonly (readonly [Form, ProtocolEra])[] = [
  ['JSON', 'legacy'],
  ['JSON', 'stateless'],
  ['SSE', 'legacy'],
  ['SSE', 'stateless'],
];

const message = (result: JsonObject): string => JSON.stringify({ jsonrpc: '2.0', id: 'call-1', result });

const eventOf = (data: string, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${data}\n\n`;

const answerWith = (form: Form, bodies: readonly string[], headers: Record<string, string> = {}): void => {
  const text = form === 'JSON' ? bodies.join('') : bodies.map((body) => eventOf(body, '7')).join('');
  bench.server = (_, response) => {
    response.writeHead(200, {
      'content-type': form === 'JSON' ? 'application/json' : 'text/event-stream',
      ...headers,
    });
    response.end(text);
  };
};

const messagesIn = ({ text }: GuardedAnswer, form: Form): JsonObject[] =>
  (form === 'JSON'
    ? [text]
    : text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
  ).map((json) => JSON.parse(json) as JsonObject);

const rule = (settings: ServerResponseGuard): void => {
  guard.rules = answerRules({ guard: settings, tools: [pinnedTool('find')], tool: 'find' });
};

const call = (orders: Partial<GuardOrders> = {}) =>
  callGuarded(bench.url, ordersOff({ guard: 'rules', tool: 'find', ...orders }));

const refusalOf = (messages: readonly JsonObject[]): Json | undefined =>
  ((messages.at(-1)?.['error'] as JsonObject | undefined)?.['data'] as JsonObject | undefined)?.['reason'];

const PEOPLE: JsonObject = { people: [{ name: 'Alice Smith', mail: 'alice@x.example' }] };

const found = (structured: JsonObject): JsonObject => ({
  content: [
    { type: 'text', text: JSON.stringify(structured) },
    { type: 'text', text: `Found Alice Smith (alice@x.example).` },
  ],
  structuredContent: structured,
});

describe.each(FORMS)('an answer as %s in the %s era', (form, era) => {
  it('is redacted by patterns and by pointers, in data and text alike', async () => {
    rule({
      redactions: [
        { name: 'mail', pattern: '[a-z]+@[a-z.]+' },
        { name: 'names', pointer: '/people/*/name', replacement: 'N.N.' },
      ],
    });
    answerWith(form, [message(found(PEOPLE))]);
    const answer = await call({ era });
    const people = { people: [{ name: 'N.N.', mail: '[redacted]' }] };
    expect(answer.end).toBe('whole');
    expect(messagesIn(answer, form)).toEqual([
      {
        jsonrpc: '2.0',
        id: 'call-1',
        result: {
          content: [
            { type: 'text', text: JSON.stringify(people) },
            { type: 'text', text: 'Found N.N. ([redacted]).' },
          ],
          structuredContent: people,
        },
      },
    ]);
    expect(await guard.metricsText()).toMatch(
      /ext_proc_redactions_total\{tenant="acme",server="tracker",redaction="names"/,
    );
    expect(guard.logText()).not.toContain('alice');
  });

  it('is redacted as the policy orders, whatever passes otherwise', async () => {
    rule({ unreadable: 'report' });
    answerWith(form, [message(found(PEOPLE))]);
    const [redacted] = messagesIn(await call({ era, redact: ['/people'] }), form);
    expect(JSON.stringify(redacted)).not.toMatch(/alice/i);
    answerWith(form, ['{"jsonrpc":"2.0","id":"call-1","result":{"a":1,"a":2}}']);
    expect(refusalOf(messagesIn(await call({ era, redact: ['/people'] }), form))).toBe('answer_refused');
  });

  it('passes untouched where no rule is for the tool', async () => {
    rule({ redactions: [{ name: 'mail', pattern: '[a-z]+@[a-z.]+', tools: ['other'] }] });
    const body = message(found(PEOPLE)).replace('alice@', '\\u0061lice@');
    answerWith(form, [body]);
    const { text } = await call({ era });
    expect(text).toContain(body);
  });

  it('is refused where it is longer than the policy lets pass', async () => {
    rule({ unreadable: 'report' });
    answerWith(form, [message(found(PEOPLE))]);
    expect(refusalOf(messagesIn(await call({ era, maxResponseBytes: 100 }), form))).toBe('answer_too_large');
    expect(refusalOf(messagesIn(await call({ era, maxResponseBytes: 10_000 }), form))).toBeUndefined();
  });

  it('is refused where a rule cannot be read', async () => {
    rule({ redactions: [{ name: 'later', pattern: '(?<=a)b(' }] });
    answerWith(form, [message(found(PEOPLE))]);
    expect(refusalOf(messagesIn(await call({ era }), form))).toBe('answer_blocked');
  });
});

describe.each(FORMS)('a redacted result as %s in the %s era', (form, era) => {
  const pinned = (required: readonly string[]): void => {
    const outputSchema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: [...required],
      additionalProperties: false,
    };
    const settings = { redactions: [{ name: 'all', pointer: '/*' }] };
    guard.rules = answerRules({
      guard: settings,
      tools: [pinnedTool('find', { outputSchema })],
      tool: 'find',
    });
    answerWith(form, [message(found({ name: 'Alice Smith', age: 42 }))]);
  };

  it('fits the pinned schema: what a text cannot stand for is taken out, in the text too', async () => {
    pinned(['name']);
    const [only = {}] = messagesIn(await call({ era }), form);
    const result = only['result'] as { content: { text: string }[]; structuredContent: JsonObject };
    const { content, structuredContent } = result;
    expect(structuredContent).toEqual({ name: '[redacted]' });
    expect(JSON.parse(content[0]?.text ?? '')).toEqual(structuredContent);
  });

  it('is refused where the schema leaves no room', async () => {
    pinned(['name', 'age']);
    const answer = await call({ era });
    expect(refusalOf(messagesIn(answer, form))).toBe('answer_blocked');
    expect(answer.text).not.toContain('Alice');
  });
});

describe('a stream', () => {
  const progress = (at: number): string =>
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: at } });

  it('is refused once all of its events are longer than the policy lets pass', async () => {
    rule({});
    answerWith('SSE', [...Array.from({ length: 50 }, (_, at) => progress(at)), message(found(PEOPLE))]);
    const answer = await call({ maxResponseBytes: 2_000 });
    expect(refusalOf(messagesIn(answer, 'SSE'))).toBe('answer_too_large');
    expect(answer.text).not.toContain('alice');
  });

  it('that the policy has an eye on cannot be resumed', async () => {
    rule({});
    answerWith('SSE', [progress(1), message(found(PEOPLE))]);
    expect((await call()).text).toMatch(/^id: ./m);
    expect((await call({ redact: ['/people'] })).text).not.toMatch(/^id/m);
  });
});

describe('an error', () => {
  it('of the server is redacted, as a message and as the body of an error status', async () => {
    rule({ redactions: [{ name: 'mail', pattern: '[a-z]+@[a-z.]+' }] });
    const error = { code: -32_000, message: 'no alice@x.example', data: { 'alice@x.example': 1, n: 2 } };
    const left = { code: -32_000, message: 'no [redacted]', data: { n: 2 } };
    answerWith('JSON', [JSON.stringify({ jsonrpc: '2.0', id: 'call-1', error })]);
    expect(messagesIn(await call(), 'JSON')[0]?.['error']).toEqual(left);
    bench.server = (_, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ failed: ['alice@x.example'], method: 'POST' }));
    };
    const answer = await call();
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      500,
      { failed: ['[redacted]'], method: 'POST' },
    ]);
  });
});

describe.each(FORMS)('headers of an answer as %s in the %s era', (form, era) => {
  it('are added, removed and renamed in the order of the rules', async () => {
    rule({
      headers: [
        { action: 'remove', name: 'x-powered-by' },
        { action: 'rename', name: 'x-build', to: 'x-release' },
        { action: 'add', name: 'x-checked', value: 'yes' },
        { action: 'add', name: 'x-other-tool', value: 'yes', tools: ['other'] },
      ],
    });
    answerWith(form, [message(found(PEOPLE))], { 'x-powered-by': 'y', 'x-build': '7', 'x-checked': 'no' });
    const { headers, text } = await call({ era });
    expect(headers).toMatchObject({ 'x-release': '7', 'x-checked': 'yes' });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-powered-by']));
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-build']));
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-other-tool']));
    expect(text).toContain('alice');
  });

  it('are not touched where that would change what the answer is', async () => {
    rule({ headers: [{ action: 'add', name: 'content-type', value: 'text/html' }] });
    answerWith(form, [message(found(PEOPLE))]);
    const answer = await call({ era });
    expect(answer.text).not.toContain('alice');
    expect(guard.logged('answer refused')).toEqual([expect.objectContaining({ fault: 'header_change' })]);
  });
});

describe('a value of a result', () => {
  const EXTRACT = {
    extractions: [
      { name: 'kind', pointer: '/kind', header: 'x-kind', values: ['issue', 'note'] },
      { name: 'count', pointer: '/count', label: true, values: ['1', '2'] },
    ],
  } as const;
  const result = (structured: JsonObject) => message({ content: [], structuredContent: structured });

  it.each<[JsonObject, string | undefined]>([
    [{ kind: 'issue', count: 2 }, 'issue'],
    [{ kind: 'alice@x.example', count: 'alice@x.example' }, 'other'],
    [{ kind: ['issue'] }, 'other'],
    [{}, undefined],
  ])('%j is told in a header as %s', async (structured, told) => {
    rule(EXTRACT);
    answerWith('JSON', [result(structured)], { 'x-kind': 'made up' });
    const answer = await call();
    expect(answer.headers['x-kind']).toBe(told);
    expect(JSON.parse(answer.text)).toEqual(JSON.parse(result(structured)));
  });

  it('is told also of an answer that comes in pieces', async () => {
    rule(EXTRACT);
    const body = result({ text: 'x'.repeat(100_000), kind: 'note' });
    bench.server = async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let at = 0; at < body.length; at += 20_000) {
        response.write(body.slice(at, at + 20_000));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      response.end();
    };
    const answer = await call();
    expect([answer.headers['x-kind'], answer.text]).toEqual(['note', body]);
  });

  it('is counted by those that the rule lists, also out of a stream, where no header tells it', async () => {
    rule(EXTRACT);
    answerWith('SSE', [result({ kind: 'issue', count: 'alice@x.example' })], { 'x-kind': 'made up' });
    expect((await call()).headers['x-kind']).toBeUndefined();
    expect(await guard.metricsText()).toMatch(
      /ext_proc_extracted_total\{tenant="acme",server="tracker",extraction="count",value="2"/,
    );
    expect(await guard.metricsText()).toMatch(/extraction="count",value="other"/);
    expect(await guard.metricsText()).not.toMatch(/alice/);
  });

  it('is not told if it was redacted before', async () => {
    rule({ ...EXTRACT, redactions: [{ name: 'kind', pointer: '/kind' }] });
    answerWith('JSON', [result({ kind: 'issue' })]);
    expect((await call()).headers['x-kind']).toBe('other');
  });

  it('of an answer that Envoy cannot hold is sent to nobody, nor is the answer', async () => {
    rule(EXTRACT);
    answerWith('JSON', [result({ kind: 'issue', text: 'x'.repeat(3_000_000) })]);
    const answer = await call();
    expect(refusalOf(messagesIn(answer, 'JSON'))).toBe('answer_too_large');
    expect(answer.headers['x-kind']).toBeUndefined();
  });

  it('of an answer that is refused is sent with the refusal alone', async () => {
    rule({ ...EXTRACT, maxAnswerBytes: 1_024 });
    answerWith('JSON', [result({ kind: 'issue', text: 'x'.repeat(2_000) })]);
    const answer = await call();
    expect(refusalOf(messagesIn(answer, 'JSON'))).toBe('answer_too_large');
    expect(answer.headers['x-kind']).toBeUndefined();
  });
});
