import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import type { FindingRule } from '#core/response-guard.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { messageKindOf } from '#ext-proc/message/message-kind.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';
import { secrets } from '#ext-proc/sanitation/detectors/secrets.ts';
import type { FindingCount } from '#ext-proc/sanitation/finding-report.ts';
import { FINDINGS_META } from '#ext-proc/sanitation/findings-meta.ts';
import { createSanitiseStep } from '#ext-proc/sanitation/sanitise-step.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { drawn } from '#test/support/found-in.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const TOKEN = `ghp_${drawn(36)}`;
const BYTES = Buffer.from(TOKEN).toString('base64');
const META = (kind: string, action: string, count = 1, detector = 'secrets') => ({
  [FINDINGS_META]: [{ detector, kind, action, count }],
});

/** Finds one word, wherever it stands. */
const finds = (word: string, kind = 'word'): Detector => ({
  name: 'plugin:words',
  kinds: ['word', 'other'],
  scan: (text) => {
    const start = text.indexOf(word);
    return start === -1 ? [] : [{ kind, start, end: start + word.length }];
  },
});

const sanitise = async (
  message: JsonObject | string,
  rules: {
    readonly server?: readonly FindingRule[];
    readonly tenant?: readonly FindingRule[];
    readonly tool?: string;
    readonly method?: string;
    readonly detectors?: readonly Detector[];
  },
) => {
  const told: FindingCount[][] = [];
  const { server = [], tenant = [], tool = 'search', method = 'tools/call' } = rules;
  const step = createSanitiseStep({
    detectors: rules.detectors ?? [hiddenText, secrets],
    report: (counts) => void told.push([...counts]),
  });
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  const read = readAnswerMessage(Buffer.from(text), { strict: true });
  if (!read.ok) throw new Error(read.error.fault);
  const outcome = await step(read.value, {
    orders: ordersOff({ tool, method }),
    rules: answerRules({ guard: { findings: server }, tenant: { findings: tenant } }),
    kind: messageKindOf(read.value, method),
    isErrorBody: false,
    replica: undefined,
  });
  return { told, outcome, same: outcome.ok && outcome.value === read.value };
};

const resultOf = async (...given: Parameters<typeof sanitise>): Promise<Json | undefined> => {
  const { outcome } = await sanitise(...given);
  if (!outcome.ok) throw new Error(outcome.error.fault);
  return outcome.value.value['result'] ?? outcome.value.value['params'] ?? outcome.value.value['error'];
};

const answer = (result: JsonObject): JsonObject => ({ jsonrpc: '2.0', id: 1, result });
const textAnswer = (text: string, more: JsonObject = {}): JsonObject =>
  answer({ content: [{ type: 'text', text }], ...more });

const REDACT: FindingRule = { detector: 'secrets', action: 'redact' };
const MARK: FindingRule = { detector: 'secrets', action: 'mark' };
const BLOCK: FindingRule = { detector: 'secrets', action: 'block' };

describe('what is done about a finding', () => {
  it('redacts it, and tells the kind', async () => {
    expect(await resultOf(textAnswer(`key ${TOKEN}!`), { server: [REDACT] })).toEqual({
      content: [{ type: 'text', text: 'key [redacted:github-token]!' }],
      _meta: META('github-token', 'redact'),
    });
  });

  it('marks it behind itself', async () => {
    expect(await resultOf(textAnswer(`key ${TOKEN}!`), { server: [MARK] })).toEqual({
      content: [{ type: 'text', text: `key ${TOKEN} [flagged:secrets/github-token]!` }],
      _meta: META('github-token', 'mark'),
    });
  });

  it('blocks the whole message', async () => {
    const { outcome, told } = await sanitise(textAnswer(TOKEN), { server: [BLOCK] });
    expect(outcome).toEqual({ ok: false, error: { reason: 'answer_blocked', fault: 'finding' } });
    expect(told).toEqual([[{ detector: 'secrets', kind: 'github-token', action: 'block', count: 1 }]]);
  });

  it('allows it, and counts it', async () => {
    const { same, told } = await sanitise(textAnswer(TOKEN), { server: [{ ...BLOCK, action: 'allow' }] });
    expect(same).toBe(true);
    expect(told).toEqual([[{ detector: 'secrets', kind: 'github-token', action: 'allow', count: 1 }]]);
  });

  it('takes hidden text out', async () => {
    const rules = [{ detector: 'hidden-text', action: 'redact' } as const];
    expect(await resultOf(textAnswer('a\u200b\u202eb👩‍💻'), { server: rules })).toMatchObject({
      content: [{ type: 'text', text: 'ab👩‍💻' }],
    });
  });

  it('finds what hidden characters split', async () => {
    const split = `${TOKEN.slice(0, 10)}\u200b${TOKEN.slice(10)}`;
    expect(await resultOf(textAnswer(`🚀 ${split} end`), { server: [REDACT] })).toMatchObject({
      content: [{ type: 'text', text: '🚀 [redacted:github-token] end' }],
    });
  });

  it('takes the stronger action where findings overlap', async () => {
    const rules: FindingRule[] = [{ detector: 'plugin:words', action: 'mark' }, REDACT];
    const detectors = [secrets, finds(`key ${TOKEN.slice(0, 8)}`)];
    expect(await resultOf(textAnswer(`a key ${TOKEN}.`), { server: rules, detectors })).toMatchObject({
      content: [{ text: 'a [redacted:github-token].' }],
    });
  });
});

describe('which rule counts', () => {
  it.each([
    ['a server has the first word', { server: [MARK], tenant: [BLOCK] }, 'flagged:'],
    ['of several the first that fits', { server: [{ ...MARK, kinds: ['jwt'] }, REDACT] }, '[redacted:'],
    ['one for the tool', { server: [{ ...BLOCK, tools: ['other'] }, REDACT] }, '[redacted:'],
    [
      'one for the kind of message',
      { server: [{ ...BLOCK, messages: ['error'] as const }, REDACT] },
      '[redacted:',
    ],
  ])('%s', async (_, rules, part) => {
    expect(JSON.stringify(await resultOf(textAnswer(TOKEN), rules))).toContain(part);
  });

  it('lets a kind be that no rule names', async () => {
    const rules = [{ ...BLOCK, kinds: ['jwt'] }];
    expect((await sanitise(textAnswer(TOKEN), { server: rules })).same).toBe(true);
  });

  it.each([
    ['no rule', {}],
    ['a rule for another tool', { server: [{ ...BLOCK, tools: ['other'] }] }],
    ['a rule for other messages', { server: [{ ...BLOCK, messages: ['prompt', 'log'] as const }] }],
  ])('passes byte for byte what there is %s for', async (_, rules) => {
    const text = `{ "jsonrpc":"2.0", "id":1.0, "result":{"content":[{"type":"text","text":"${TOKEN}"}]} }`;
    expect((await sanitise(text, rules)).same).toBe(true);
  });
});

describe('where it looks', () => {
  const everywhere: FindingRule = {
    ...REDACT,
    messages: [
      'tool-result',
      'prompt',
      'resource',
      'list',
      'error',
      'input-required',
      'elicitation',
      'sampling',
      'progress',
      'log',
    ],
  };
  const note = (method: string, params: JsonObject): JsonObject => ({ jsonrpc: '2.0', method, params });
  it.each<[string, JsonObject, string]>([
    [
      'an embedded resource',
      answer({ content: [{ type: 'resource', resource: { uri: 'a:b', text: TOKEN } }] }),
      'tools/call',
    ],
    [
      'a link to a resource',
      answer({ content: [{ type: 'resource_link', uri: 'a:b', name: 'n', description: TOKEN }] }),
      'tools/call',
    ],
    ['structured content', answer({ content: [], structuredContent: { a: [{ b: TOKEN }] } }), 'tools/call'],
    [
      'a name in structured content',
      answer({ content: [], structuredContent: { a: { [TOKEN]: 1 } } }),
      'tools/call',
    ],
    ['JSON in a text', textAnswer(JSON.stringify({ a: { [TOKEN]: [TOKEN] } })), 'tools/call'],
    [
      'JSON in a text, with escapes',
      textAnswer(`{"a":"${TOKEN.replace('ghp', '\\u0067hp')}"}`),
      'tools/call',
    ],
    ['metadata', answer({ content: [], _meta: { 'a/b': TOKEN } }), 'tools/call'],
    [
      'a prompt',
      answer({ messages: [{ role: 'user', content: { type: 'text', text: TOKEN } }] }),
      'prompts/get',
    ],
    ['a resource', answer({ contents: [{ uri: 'a:b', text: TOKEN }] }), 'resources/read'],
    [
      'a list',
      answer({
        tools: [{ name: 'a', description: TOKEN, inputSchema: { properties: { a: { default: TOKEN } } } }],
      }),
      'tools/list',
    ],
    [
      'an error',
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: TOKEN, data: { a: TOKEN } } },
      'tools/call',
    ],
    ['a log message', note('notifications/message', { level: 'info', data: { a: TOKEN } }), 'tools/call'],
    [
      'progress',
      note('notifications/progress', { progressToken: 1, progress: 1, message: TOKEN }),
      'tools/call',
    ],
    ['elicitation', { ...note('elicitation/create', { message: TOKEN }), id: 2 }, 'tools/call'],
    [
      'sampling',
      {
        ...note('sampling/createMessage', {
          messages: [{ role: 'user', content: { type: 'text', text: TOKEN } }],
          systemPrompt: TOKEN,
        }),
        id: 2,
      },
      'tools/call',
    ],
  ])('redacts in %s', async (_, message, method) => {
    const { outcome } = await sanitise(message, { server: [everywhere], method });
    if (!outcome.ok) throw new Error(outcome.error.fault);
    expect(outcome.value.text).not.toContain(TOKEN);
    expect(outcome.value.text).not.toContain(TOKEN.slice(10));
    expect(outcome.value.text).toContain('[redacted:github-token]');
  });

  it('does not look into images, audio, blobs, cursors and sealed state', async () => {
    const message = answer({
      content: [
        { type: 'image', data: BYTES, mimeType: 'image/png' },
        { type: 'audio', data: BYTES, mimeType: 'audio/wav' },
        { type: 'resource', resource: { uri: 'a:b', blob: BYTES } },
      ],
      nextCursor: BYTES,
      requestState: BYTES,
    });
    const seen: string[] = [];
    const words: Detector = {
      ...finds(BYTES),
      scan: (text) => {
        seen.push(text);
        return [];
      },
    };
    const rules = { server: [{ detector: 'plugin:words', action: 'block' as const }], detectors: [words] };
    expect((await sanitise(message, rules)).same).toBe(true);
    expect(seen).not.toContain(BYTES);
  });

  it.each<[string, JsonObject]>([
    ['an image that is no base64', { type: 'image', data: TOKEN, mimeType: 'image/png' }],
    ['a blob that is no base64', { type: 'resource', resource: { uri: 'a:b', blob: `${TOKEN}!` } }],
    ['an object where the protocol has a word', { type: 'text', text: '', level: { note: TOKEN } }],
    ['a list where the protocol has a word', { type: 'text', text: '', mimeType: [TOKEN] }],
  ])('looks into %s', async (_, block) => {
    const { outcome } = await sanitise(answer({ content: [block] }), { server: [REDACT] });
    expect(outcome.ok && outcome.value.text.includes(TOKEN)).toBe(false);
  });

  it('takes the name of a member for part of what is said', async () => {
    const value = { users: [{ password: 'hunter2!Tree', note: 'hunter2!Tree' }] };
    expect(
      await resultOf(answer({ content: [], structuredContent: value }), { server: [REDACT] }),
    ).toMatchObject({
      structuredContent: { users: [{ password: '[redacted:assignment]', note: 'hunter2!Tree' }] },
    });
  });

  it('keeps every other byte of a message it changes', async () => {
    const text = `{"jsonrpc":"2.0","id":1,"result":{"a":1.50,"b":12345678901234567890,"c":"\\u00e9","content":[{"type":"text","text":"${TOKEN}"}],"_meta":{}}}`;
    const { outcome } = await sanitise(text, { server: [REDACT] });
    expect(outcome.ok && outcome.value.text).toContain('"a":1.50,"b":12345678901234567890,"c":"\\u00e9"');
  });
});

describe('text and structured content that repeat each other', () => {
  const value = { a: TOKEN, list: [{ [TOKEN]: `x ${TOKEN}` }], n: 1.5 };
  const message = textAnswer(JSON.stringify(value, null, 2), { structuredContent: value });

  it('say the same when they are redacted', async () => {
    const result = (await resultOf(message, { server: [REDACT] })) as {
      content: [{ text: string }];
      structuredContent: JsonObject;
    };
    expect(result.structuredContent).toEqual({
      a: '[redacted:github-token]',
      list: [{ '[redacted:github-token]': 'x [redacted:github-token]' }],
      n: 1.5,
    });
    expect(JSON.parse(result.content[0].text)).toEqual(result.structuredContent);
  });

  it('are not written into when they are marked', async () => {
    expect(await resultOf(message, { server: [MARK] })).toEqual({
      ...(message['result'] as JsonObject),
      _meta: META('github-token', 'mark', 6),
    });
  });
});

describe('a detector that cannot be relied on', () => {
  const failing = (scan: Detector['scan']): Detector => ({ name: 'plugin:bad', kinds: ['word'], scan });
  it.each<[string, Detector['scan']]>([
    [
      'throws',
      () => {
        throw new Error(TOKEN);
      },
    ],
    ['rejects', () => Promise.reject(new Error(TOKEN))],
    ['finds another kind', () => [{ kind: 'no', start: 0, end: 1 }]],
    ['finds outside of the text', () => [{ kind: 'word', start: 0, end: 10_000 }]],
    ['finds nothing at all', () => [{ kind: 'word', start: 1, end: 1 }]],
  ])('closes the answer when it %s', async (_, scan) => {
    const rules = [{ detector: 'plugin:bad', action: 'allow' } as const];
    const { outcome } = await sanitise(textAnswer('abc'), { server: rules, detectors: [failing(scan)] });
    expect(outcome).toEqual({ ok: false, error: { reason: 'answer_refused', fault: 'plugin_failed' } });
  });

  it('closes the answer when there is none of that name', async () => {
    const rules = [{ detector: 'plugin:gone', action: 'mark' } as const];
    const { outcome } = await sanitise(textAnswer('abc'), { server: rules });
    expect(outcome).toMatchObject({ ok: false, error: { fault: 'plugin_failed' } });
  });

  it('leaves no half of a character behind', async () => {
    const detectors: Detector[] = [
      { name: 'plugin:words', kinds: ['word'], scan: () => [{ kind: 'word', start: 2, end: 4 }] },
    ];
    const rules = [{ detector: 'plugin:words', action: 'redact' } as const];
    expect(await resultOf(textAnswer('a😀😀b'), { server: rules, detectors })).toMatchObject({
      content: [{ text: 'a[redacted:word]b' }],
    });
  });
});

describe('what a server says of findings itself', () => {
  it('is taken out', async () => {
    const forged = textAnswer('plain', { _meta: { [FINDINGS_META]: [], 'a/b': 1 } });
    expect(await resultOf(forged, { server: [REDACT] })).toEqual({
      content: [{ type: 'text', text: 'plain' }],
      _meta: { 'a/b': 1 },
    });
  });
});
