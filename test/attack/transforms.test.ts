// A hostile server behind the real Envoy: answers made to carry past redaction what it is to keep back, and answers made
// to cost more than they are worth.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Redaction } from '#core/response-guard.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, ordersOff } from '#test/support/guarded-call.ts';

const MIB = 1024 * 1024;
const SECRET = 'sk-4f9a0c';
const KEY: Redaction = { name: 'key', pattern: '(?i)sk-[0-9a-f]{6}' };
const OWNER: Redaction = { name: 'owner', pointer: '/rows/*/owner' };

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard({ maxBodyBytes: 8 * MIB, maxEventBytes: 8 * MIB });
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

const sent = async (result: string, redactions: readonly Redaction[] = [KEY]): Promise<string> => {
  guard.rules = answerRules({ guard: { redactions }, tools: [pinnedTool('find')], tool: 'find' });
  bench.server = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"jsonrpc":"2.0","id":"call-1","result":${result}}`);
  };
  const { text } = await callGuarded(bench.url, ordersOff({ guard: 'rules', tool: 'find' }));
  return text;
};

/** The text with every escape of JSON undone, as often as it takes. */
const unescaped = (text: string): string => {
  const once = text.replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const plain = once.replaceAll('\\\\', '\\');
  return plain === text ? text : unescaped(plain);
};

const inText = (text: string): string => `{"content":[{"type":"text","text":${JSON.stringify(text)}}]}`;

const ESCAPED = [...SECRET].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

describe('a secret does not come through', () => {
  it.each([
    ['in escapes', `{"content":[{"type":"text","text":"${ESCAPED}"}]}`],
    ['in escapes of JSON in a text', inText(`{"a":"${ESCAPED}"}`)],
    ['in JSON in JSON in a text', inText(JSON.stringify({ a: `["${ESCAPED}"]` }))],
    ['in capitals', inText(SECRET.toUpperCase())],
    ['as the type of content', `{"content":[{"type":"${SECRET}"}]}`],
    [
      'as content that should be binary',
      `{"content":[{"type":"image","data":"${SECRET}","mimeType":"${SECRET}"}]}`,
    ],
    ['as a name', `{"structuredContent":{"${SECRET}":1},"content":[]}`],
    ['as a name of metadata', `{"content":[],"_meta":{"x":{"${SECRET}":1}}}`],
    ['in a member that MCP does not know', `{"content":[],"extra":{"a":["${SECRET}"]}}`],
    ['in a result that looks like a list', `{"tools":[],"content":[{"type":"text","text":"${SECRET}"}]}`],
    [
      'in a result that looks like a question',
      `{"resultType":"input_required","content":[{"type":"text","text":"${SECRET}"}]}`,
    ],
    ['in an error of the tool', `{"isError":true,"content":[{"type":"text","text":"${SECRET}"}]}`],
    ['beside a prototype', `{"content":[],"structuredContent":{"__proto__":{"a":"${SECRET}"}}}`],
    ['in one of two contents', `{"content":[],"content":[{"type":"text","text":"${SECRET}"}]}`],
    ['in structured content by another case', `{"content":[],"StructuredContent":{"a":"${SECRET}"}}`],
    ['deep within', `{"content":[],"structuredContent":${'['.repeat(50)}"${SECRET}"${']'.repeat(50)}}`],
  ])('%s', async (_title, result) => {
    expect(unescaped(await sent(result)).toLowerCase()).not.toContain(SECRET);
  });
});

describe('a secret beside an error status does not come through', () => {
  it.each([
    [
      'in an echo of the call',
      `{"jsonrpc":"2.0","id":"call-1","method":"tools/call","params":{"key":"${SECRET}"}}`,
    ],
    [
      'in what looks like a notification',
      `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${SECRET}"}}`,
    ],
    ['in a report of the request', `{"method":"POST","message":"no such key: ${SECRET}"}`],
    ['in a result that is no object, beside a method', `{"method":"POST","result":"${SECRET}"}`],
  ])('%s', async (_title, body) => {
    guard.rules = answerRules({ guard: { redactions: [KEY] }, tools: [pinnedTool('find')], tool: 'find' });
    bench.server = (_, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(body);
    };
    const { status, text } = await callGuarded(bench.url, ordersOff({ guard: 'rules', tool: 'find' }));
    expect(status).toBe(500);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(SECRET);
  });
});

describe('what redaction does not see, as documented', () => {
  it('a secret cut into two contents, or written in base64', async () => {
    const halves = `{"content":[{"type":"text","text":"sk-4f"},{"type":"text","text":"9a0c"}]}`;
    expect(await sent(halves)).toContain('9a0c');
    const bytes = Buffer.from(SECRET).toString('base64');
    expect(await sent(`{"content":[{"type":"image","data":"${bytes}","mimeType":"image/png"}]}`)).toContain(
      bytes,
    );
  });
});

describe('a pointer', () => {
  it('finds all of tens of thousands of places, and all texts that repeat them', async () => {
    const rows = Array.from({ length: 10_000 }, (_, at) => ({
      owner: `owner-${at}`,
      n: at,
      by: `owner-${at}`,
    }));
    const text = rows.map(({ owner }) => owner).join(' ');
    const result = JSON.stringify({ content: [{ type: 'text', text }], structuredContent: { rows } });
    expect(await sent(result, [OWNER])).not.toMatch(/owner-\d/);
  });

  it('is not led astray by what stands in the way of its steps', async () => {
    const astray = `{"content":[],"structuredContent":{"rows":{"__proto__":{"owner":"${SECRET}"},"length":{"owner":"${SECRET}"}}}}`;
    expect(await sent(astray, [OWNER])).not.toContain(SECRET);
  });
});

describe('a text made to be slow', () => {
  const values = Array.from({ length: 2_000 }, (_, at) => ({ owner: 'a'.repeat(at + 4) }));

  it.each<[string, Redaction, string]>([
    ['to search for all matches', { name: 'slow', pattern: 'BEGIN(.*END)?' }, 'BEGIN'.repeat(40_000)],
    ['to search for one', { name: 'slow', pattern: '(a*)*b|a.*c' }, 'a'.repeat(500_000)],
  ])('%s is answered all the same, and lets nothing through', async (_title, rule, text) => {
    const answer = await sent(inText(text), [rule]);
    expect(answer).not.toContain('BEGIN');
    expect(JSON.parse(answer)).toMatchObject({ id: 'call-1' });
  });

  it('to search for values that begin alike does not go on', async () => {
    const result = {
      content: [{ type: 'text', text: 'a'.repeat(1_000_000) }],
      structuredContent: { rows: values },
    };
    expect(await sent(JSON.stringify(result), [OWNER])).not.toContain('aaaa');
  });
});
