// What comes back, through the whole product: rules set by the registry's API, a server that answers as it likes, and what
// a client, its developer and whoever reads the log get to see of it.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { APPLIED, type SwappedTracker, swapTracker, TRACKER } from '#test/support/swapped-tracker.ts';

const SECRET = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const TOOL = {
  name: 'customer',
  description: 'Reads a customer.',
  inputSchema: {
    type: 'object',
    properties: { id: { type: 'integer', minimum: 1 } },
    required: ['id'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { name: { type: 'string' }, note: { type: 'string' } },
    required: ['name'],
  },
} as const;

let product: Product;
let upstream: Server;
let tracker: SwappedTracker;
let media: 'application/json' | 'text/event-stream';
/** The result of the next calls. */
let result: Record<string, unknown>;
let calls = 0;

const resultOf = (structuredContent: unknown, more: object = {}): Record<string, unknown> => ({
  resultType: 'complete',
  content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
  structuredContent,
  ...more,
});

const startUpstream = async (): Promise<string> => {
  upstream = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id, method } = JSON.parse(body === '' ? '{}' : body) as { id?: unknown; method?: string };
    calls += 1;
    const answered = method === 'tools/list' ? { resultType: 'complete', tools: [TOOL], ttlMs: 0 } : result;
    const text = JSON.stringify({ jsonrpc: '2.0', id, result: answered });
    response.writeHead(200, { 'content-type': media });
    response.end(media === 'application/json' ? text : `event: message\ndata: ${text}\n\n`);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
};

/** What a test may have set: a patch with null takes it away (RFC 7396). */
const UNSET = { results: null, arguments: null, findings: null, redactions: null };

const guardWith = (guard: ServerResponseGuard): Promise<void> =>
  tracker.change('PATCH', `${TRACKER}?${APPLIED}`, { responseGuard: { ...UNSET, ...guard } });

const call = (args: Record<string, unknown> = { id: 1 }): Promise<RawAnswer> =>
  callTool(tracker.url, tracker.alice, { name: TOOL.name, arguments: args });

const reasonIn = ({ message }: RawAnswer): unknown => message.error?.data['reason'];

beforeAll(async () => {
  product = await startProduct();
  const endpoint = await startUpstream();
  tracker = await swapTracker(product, [{ name: '9.0.0', endpoint, tools: [TOOL] }]);
}, 300_000);
afterAll(async () => {
  await product?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
});
beforeEach(() => {
  media = 'application/json';
  result = resultOf({ name: 'Ada' });
});

describe.each(['application/json', 'text/event-stream'] as const)('an answer as %s', (type) => {
  beforeEach(() => {
    media = type;
  });

  it('passes as it is where nothing is to be said against it', async () => {
    await guardWith({});
    expect((await call()).message.result).toEqual(result);
  });

  it('is refused where it does not fit what was approved, and passes where that is only reported', async () => {
    result = resultOf({ note: 'no name' });
    const refused = await call();
    expect(reasonIn(refused)).toBe('output_invalid');
    expect(refused.message.id).toBe('e2e-1');
    await guardWith({ results: 'report' });
    expect((await call()).message.result).toEqual(result);
    await guardWith({});
  });

  it('keeps an error that the tool itself reports', async () => {
    result = { resultType: 'complete', isError: true, content: [{ type: 'text', text: 'no such customer' }] };
    expect((await call()).message.result).toEqual(result);
  });

  it('loses what is redacted, in text and structure alike, and is refused where that is wanted', async () => {
    result = resultOf({ name: 'Ada', note: `token ${SECRET}` });
    await guardWith({ findings: [{ detector: 'secrets', action: 'redact' }] });
    const redacted = await call();
    expect(redacted.text).not.toContain(SECRET);
    const { content, structuredContent } = redacted.message.result as {
      content: readonly { text: string }[];
      structuredContent: { name: string };
    };
    expect(structuredContent.name).toBe('Ada');
    expect(JSON.parse(content[0]?.text ?? '')).toEqual(structuredContent);
    await guardWith({ findings: [{ detector: 'secrets', action: 'block' }] });
    const blocked = await call();
    expect(reasonIn(blocked)).toBe('answer_blocked');
    expect(blocked.text).not.toContain(SECRET);
    await guardWith({});
  });

  it('is redacted by the owner’s own pattern and pointer', async () => {
    result = resultOf({ name: 'Ada', note: 'case C-1234 is hers' });
    await guardWith({ redactions: [{ name: 'case-numbers', pattern: 'C-\\d{4}' }] });
    expect((await call()).message.result?.['structuredContent']).toEqual({
      name: 'Ada',
      note: 'case [redacted] is hers',
    });
    await guardWith({ redactions: [{ name: 'notes', pointer: '/note', replacement: 'withheld' }] });
    const cut = await call();
    expect(cut.message.result?.['structuredContent']).toEqual({ name: 'Ada', note: 'withheld' });
    expect(cut.text).not.toContain('C-1234');
    await guardWith({});
  });
});

describe('a call', () => {
  it('whose arguments do not fit the pinned schema is refused before the server hears of it', async () => {
    const before = calls;
    const refused = await call({ id: 'one' });
    expect(refused.message.error).toMatchObject({ code: -32602, data: { reason: 'arguments_invalid' } });
    expect(JSON.stringify(refused.message.error)).toContain('/id');
    expect(calls).toBe(before);
    await guardWith({ arguments: 'report' });
    expect(reasonIn(await call({ id: 'one' }))).toBeUndefined();
    await guardWith({});
  });
});

describe('the list', () => {
  it('shows the tool as it was approved', async () => {
    const listed = await send(tracker.url, statelessRequest('tools/list', {}, { token: tracker.alice }));
    expect(listed.message.result?.['tools']).toEqual([TOOL]);
  });
});

describe('the log', () => {
  it('says what was done, and nothing of what was in an answer', async () => {
    const logs = await product.allLogs();
    expect(logs).toContain('"reason":"output_invalid"');
    for (const content of [SECRET, 'C-1234', 'no such customer', 'withheld', 'Ada'])
      expect(logs).not.toContain(content);
  });
});
