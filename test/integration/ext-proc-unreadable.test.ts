// What becomes of an answer that has to be judged and cannot be read, through the real Envoy: which faults the server's mode
// is about, what it never is about, and the cap of a server's answers.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, ordersOff, ordersTools, toolsAnswer } from '#test/support/guarded-call.ts';

const LIMITS = { maxBodyBytes: 200_000, maxEventBytes: 100_000 };
const SERVER_CAP = 5_000;
const MARKER = 'marker';

const RULES = ordersOff({ guard: 'rules', tool: 'echo' });
const LIST = ordersTools(['a']);

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard(LIMITS);
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

const set = (settings: ServerResponseGuard): void => {
  guard.rules = answerRules({ guard: { maxAnswerBytes: SERVER_CAP, ...settings } });
};

const answerWith = (headers: Record<string, string>, body: string | Buffer): void => {
  bench.server = (_, response) => void response.writeHead(200, headers).end(body);
};

const result = (text: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 'call-1', result: { content: [{ type: 'text', text }] } });

const TEXT = result(MARKER);
const LONG = result(MARKER + 'x'.repeat(SERVER_CAP));
const NOT_UTF8 = Buffer.concat([Buffer.from(TEXT), Buffer.from([0xff])]);

const BODIES = {
  'a body over the cap': LONG,
  'a body that is not UTF-8': NOT_UTF8,
  'a body that is no JSON': TEXT.slice(0, -1),
  'a repeated key': `{"id":1,${TEXT.slice(1)}`,
  'a key in two spellings': `{"Result":{},${TEXT.slice(1)}`,
  'a batch': `[${TEXT}]`,
  'a message of no kind': `{"jsonrpc":"2.0","x":"${MARKER}"}`,
  'nesting without end': TEXT.replace('"text"', `${'['.repeat(99)}1${']'.repeat(99)}`),
} as const;

const FAULTS: Readonly<Record<keyof typeof BODIES, string>> = {
  'a body over the cap': 'body_too_large',
  'a body that is not UTF-8': 'body_not_utf8',
  'a body that is no JSON': 'json_invalid',
  'a repeated key': 'json_duplicate_key',
  'a key in two spellings': 'key_variant',
  'a batch': 'message_shape',
  'a message of no kind': 'message_shape',
  'nesting without end': 'json_too_deep',
};

/** What the mode is about. */
const OF_MODE = ['a body over the cap', 'a body that is not UTF-8', 'a body that is no JSON'];

const CASES = Object.entries(BODIES).map(
  ([name, body]) => [name, Buffer.from(body), FAULTS[name as keyof typeof BODIES]] as const,
);

const asEvents = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from('data: '), body, Buffer.from(`\n\ndata: ${TEXT}\n\n`)]);

const unread = () => guard.logged('answer passed unread').map(({ fault }) => fault);
const refusals = () => guard.logged('answer refused').map(({ fault }) => fault);

describe.each(['refuse', 'report'] as const)('with the mode `%s`', (mode) => {
  const passes = (name: string): boolean => mode === 'report' && OF_MODE.includes(name);

  it.each(CASES)('of JSON, %s', async (name, body, fault) => {
    set({ unreadable: mode });
    answerWith({ 'content-type': 'application/json' }, body);
    const answer = await callGuarded(bench.url, RULES);
    expect(answer.end).toBe('whole');
    if (passes(name)) {
      expect(answer.text).toBe(body.toString('utf8'));
      expect({ unread: unread(), refusals: refusals() }).toEqual({ unread: [fault], refusals: [] });
    } else {
      expect(answer.text).not.toContain(MARKER);
      expect(JSON.parse(answer.text)).toMatchObject({ id: 'call-1', error: { data: {} } });
      expect({ unread: unread(), refusals: refusals() }).toEqual({ unread: [], refusals: [fault] });
    }
    expect(guard.logText()).not.toContain(MARKER);
  });

  it.each(CASES)('of an event, %s', async (name, body, plain) => {
    const fault = plain === 'body_too_large' ? 'event_too_large' : plain;
    set({ unreadable: mode });
    answerWith({ 'content-type': 'text/event-stream' }, asEvents(body));
    const answer = await callGuarded(bench.url, RULES);
    if (passes(name)) {
      expect(answer.text).toBe(asEvents(body).toString('utf8'));
      expect({ unread: unread(), refusals: refusals() }).toEqual({ unread: [fault], refusals: [] });
    } else {
      expect(answer.text).not.toContain(MARKER);
      expect(answer.text).toMatch(
        /^event: message\ndata: \{"jsonrpc":"2.0","id":"call-1","error":[^\n]*\n\n$/,
      );
      expect({ unread: unread(), refusals: refusals() }).toEqual({ unread: [], refusals: [fault] });
    }
  });

  it.each([
    ['another media type', { 'content-type': 'text/plain' }, 'media_type'],
    ['a JSON body in another charset', { 'content-type': 'application/json; charset=utf-16' }, 'media_type'],
    [
      'an unknown coding',
      { 'content-type': 'application/json', 'content-encoding': 'x' },
      'content_encoding',
    ],
    [
      'an unknown coding of events',
      { 'content-type': 'text/event-stream', 'content-encoding': 'x' },
      'content_encoding',
    ],
  ])('of a whole answer, %s', async (_, headers, fault) => {
    set({ unreadable: mode });
    answerWith(headers, TEXT);
    const answer = await callGuarded(bench.url, RULES);
    if (mode === 'report') {
      expect(answer.text).toBe(TEXT);
      expect(answer.headers).toMatchObject(headers);
      expect(unread()).toEqual([fault]);
    } else {
      expect({ status: answer.status, leaks: answer.text.includes(MARKER) }).toEqual({
        status: 502,
        leaks: false,
      });
      expect(refusals()).toEqual([fault]);
    }
  });

  it('of a body without a media type', async () => {
    set({ unreadable: mode });
    answerWith({}, TEXT);
    const answer = await callGuarded(bench.url, RULES);
    expect(answer.text.includes(MARKER)).toBe(mode === 'report');
  });

  it.each([
    ['a damaged coding', gzipSync(TEXT).subarray(0, 30)],
    ['a bomb', gzipSync(result(MARKER + 'x'.repeat(3_000_000)))],
  ])('%s never passes', async (_, body) => {
    set({ unreadable: mode });
    for (const type of ['application/json', 'text/event-stream']) {
      answerWith({ 'content-type': type, 'content-encoding': 'gzip' }, body);
      const answer = await callGuarded(bench.url, RULES);
      expect(answer.text).not.toContain(MARKER);
      expect(answer.text).toContain('"error"');
    }
  });

  it('a list never passes', async () => {
    set({ unreadable: mode });
    const list = toolsAnswer(['a', MARKER]);
    const bodies = [
      list + 'x'.repeat(SERVER_CAP),
      list.slice(0, -1),
      Buffer.concat([Buffer.from(list), Buffer.from([255])]),
    ];
    for (const body of bodies.map((each) => Buffer.from(each))) {
      answerWith({ 'content-type': 'application/json' }, body);
      expect((await callGuarded(bench.url, LIST)).text).not.toContain(MARKER);
      answerWith({ 'content-type': 'text/event-stream' }, asEvents(body));
      expect((await callGuarded(bench.url, LIST)).text).not.toContain(MARKER);
      answerWith({ 'content-type': 'text/plain' }, body);
      expect((await callGuarded(bench.url, LIST)).text).not.toContain(MARKER);
    }
    expect(unread()).toEqual([]);
  });
});

describe('the cap of a server', () => {
  it('is below the own one of the process, for bodies, events and what is decoded', async () => {
    set({});
    const fitting = result('x'.repeat(SERVER_CAP - 500));
    for (const [body, isRefused] of [
      [fitting, false],
      [LONG, true],
    ] as const) {
      answerWith({ 'content-type': 'application/json' }, body);
      expect((await callGuarded(bench.url, RULES)).text.includes('answer_too_large')).toBe(isRefused);
      answerWith({ 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(body));
      expect((await callGuarded(bench.url, RULES)).text.includes('answer_too_large')).toBe(isRefused);
      answerWith({ 'content-type': 'text/event-stream' }, `data: ${body}\n\n`);
      expect((await callGuarded(bench.url, RULES)).text.includes('answer_too_large')).toBe(isRefused);
    }
  });

  it('does not raise that', async () => {
    set({ maxAnswerBytes: 10 * LIMITS.maxBodyBytes });
    answerWith({ 'content-type': 'application/json' }, result('x'.repeat(LIMITS.maxBodyBytes)));
    expect((await callGuarded(bench.url, RULES)).text).toContain('answer_too_large');
  });
});

describe('a list in the answer to something else', () => {
  it.each(['application/json', 'text/event-stream'])('shows nothing (%s)', async (type) => {
    set({});
    const list = toolsAnswer([MARKER]);
    answerWith({ 'content-type': type }, type === 'application/json' ? list : `data: ${list}\n\n`);
    const answer = await callGuarded(bench.url, RULES);
    expect(answer.text).toContain('"tools":[]');
    expect(answer.text).not.toContain(MARKER);
  });
});
