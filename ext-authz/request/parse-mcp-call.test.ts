// Unit tests of parse-mcp-call.ts: what well-behaved clients of both eras send is understood as it was meant.
// What is refused is in test/attack/parser.test.ts.
import { describe, expect, it } from 'vitest';
import type { McpCall } from '#core/mcp-call.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { httpRequest, legacyPost, META, statelessPost } from '#test/support/http-requests.ts';

const LIMITS = { maxBodyBytes: 1_000_000 };

const callOf = (request: Parameters<typeof parseMcpCall>[0]): McpCall => {
  const { result } = parseMcpCall(request, LIMITS);
  if (!result.ok) throw new Error(`${result.error.reason} ${JSON.stringify(result.error.publicFacts)}`);
  return result.value;
};
const rpc = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

describe('the stateless era', () => {
  it('reads a tool call with its name, arguments and id', () => {
    const params = { name: 'create_issue', arguments: { title: 'x' } };
    expect(parseMcpCall(statelessPost({ method: 'tools/call', id: 'a', params }), LIMITS)).toEqual({
      id: 'a',
      result: {
        ok: true,
        value: {
          kind: 'request',
          era: 'stateless',
          protocolVersion: '2026-07-28',
          method: 'tools/call',
          id: 'a',
          targets: [{ kind: 'tool', name: 'create_issue' }],
          arguments: { title: 'x' },
          params: { _meta: META, ...params },
        },
      },
    });
  });

  it('takes the encoded form of a name, and optional whitespace around headers', () => {
    const name = 'größe/日本';
    const encoded = `=?base64?${Buffer.from(name).toString('base64')}?=`;
    const call = callOf(
      statelessPost(
        { method: 'tools/call', params: { name } },
        { 'mcp-name': `\t${encoded} `, 'mcp-method': ' tools/call' },
      ),
    );
    expect(call.targets).toEqual([{ kind: 'tool', name }]);
  });

  it('takes a name that looks encoded only in its encoded form', () => {
    const name = '=?base64?eA==?=';
    const encoded = `=?base64?${Buffer.from(name).toString('base64')}?=`;
    const message = { method: 'tools/call', params: { name } };
    expect(callOf(statelessPost(message, { 'mcp-name': encoded })).targets[0]?.name).toBe(name);
    expect(parseMcpCall(statelessPost(message), LIMITS).result.ok).toBe(false);
  });

  it('counts every resource a subscription wants as a target', () => {
    const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['a://1', 'a://2'] } };
    expect(callOf(statelessPost({ method: 'subscriptions/listen', params })).targets).toEqual([
      { kind: 'resource', name: 'a://1' },
      { kind: 'resource', name: 'a://2' },
    ]);
  });

  it('takes a notification without mirrored headers, and leaves parameter headers alone', () => {
    const request = legacyPost(
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-param-region': 'eu' },
    );
    expect(callOf(request)).toMatchObject({ kind: 'notification', era: 'stateless' });
  });
});

describe('the legacy era', () => {
  it('is assumed, at its oldest, where no version is named', () => {
    const call = callOf(legacyPost(rpc('tools/list'), { 'mcp-protocol-version': null }));
    expect(call).toMatchObject({ era: 'legacy', protocolVersion: '2025-03-26', list: 'tools', targets: [] });
  });

  it.each([
    ['2025-06-18', '2025-06-18'],
    ['2099-01-01', '2025-03-26'],
  ])('lets a client that initializes with %s negotiate, and speaks %s of it', (asked, spoken) => {
    const params = { protocolVersion: asked, capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const call = callOf(legacyPost(rpc('initialize', params), { 'mcp-protocol-version': null }));
    expect(call).toMatchObject({ era: 'legacy', protocolVersion: spoken, method: 'initialize' });
  });

  it('carries the session', () => {
    const call = callOf(legacyPost(rpc('ping'), { 'mcp-session-id': 's-1' }));
    expect(call.sessionId).toBe('s-1');
  });

  it.each([
    [{ jsonrpc: '2.0', id: 4, result: { action: 'accept' } }],
    [{ jsonrpc: '2.0', id: 4, error: { code: 1, message: 'no' } }],
  ])('takes the answer of a client to a request of the server (%#)', (body) => {
    expect(callOf(legacyPost(body))).toMatchObject({ kind: 'response', id: 4, targets: [] });
  });

  it('takes GET as a stream and DELETE as the end of a session', () => {
    const get = httpRequest('GET', { accept: 'text/event-stream', 'mcp-session-id': 's' });
    expect(callOf(get)).toMatchObject({ kind: 'stream', era: 'legacy', sessionId: 's' });
    expect(callOf(httpRequest('DELETE', { 'mcp-session-id': 's' }))).toMatchObject({ kind: 'session-end' });
    expect(callOf(get)).not.toHaveProperty('resumes');
    const resumed = httpRequest('GET', { accept: 'text/event-stream', 'last-event-id': 'e-41' });
    expect(callOf(resumed)).toMatchObject({ kind: 'stream', resumes: true });
  });

  it('takes mirrored headers that agree with the body', () => {
    const headers = { 'mcp-method': 'resources/read', 'mcp-name': 'a://1' };
    const call = callOf(legacyPost(rpc('resources/read', { uri: 'a://1' }), headers));
    expect(call.targets).toEqual([{ kind: 'resource', name: 'a://1' }]);
  });
});

describe('what clients of both eras send', () => {
  it.each([
    ['resources/subscribe', { uri: 'a://1' }, [{ kind: 'resource', name: 'a://1' }]],
    ['prompts/get', { name: 'p', arguments: { a: 'b' } }, [{ kind: 'prompt', name: 'p' }]],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } },
      [{ kind: 'prompt', name: 'p' }],
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'a://{x}' } },
      [{ kind: 'resource', name: 'a://{x}' }],
    ],
  ])('finds what %s reaches for', (method, params, targets) => {
    const call = callOf(legacyPost(rpc(method, params)));
    expect(call.targets).toEqual(targets);
    expect(call.arguments).toEqual({});
  });

  it.each([
    ['tools/list', 'tools'],
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ])('knows which list %s returns', (method, list) => {
    expect(callOf(statelessPost({ method })).list).toBe(list);
    expect(callOf(legacyPost(rpc(method, { cursor: 'c' }))).list).toBe(list);
  });

  it.each([
    [{ accept: '*/*' }],
    [{ accept: ['application/json', 'text/event-stream;q=0.5'] }],
    [{ 'content-type': 'Application/JSON; charset="UTF-8"' }],
    [{ 'content-encoding': 'identity' }],
    [{ 'content-length': '40' }],
  ])('takes the headers %j', (headers) => {
    const body = JSON.stringify(rpc('ping'));
    const known = 'content-length' in headers ? { 'content-length': String(body.length) } : headers;
    expect(callOf(legacyPost(body, known)).method).toBe('ping');
  });

  it('keeps the id of a refused request, so that the client can match the answer', () => {
    const refused = [
      legacyPost(rpc('tools/call', {}, 'q-1')),
      legacyPost(rpc('no/such', {}, 'q-1')),
      legacyPost(rpc('ping', {}, 'q-1'), { accept: null }),
      legacyPost(rpc('ping', {}, 'q-1'), { 'mcp-protocol-version': '2099-01-01' }),
      legacyPost({ ...rpc('ping', {}, 'q-1'), extra: 1 }),
    ];
    for (const request of refused) {
      const { id, result } = parseMcpCall(request, LIMITS);
      expect([result.ok, id]).toEqual([false, 'q-1']);
    }
  });

  it('gives no id to the refusal of a response, whose id is the server’s', () => {
    const body = { jsonrpc: '2.0', id: 5, result: {} };
    const { id, result } = parseMcpCall(legacyPost(body, { 'mcp-session-id': 'a b' }), LIMITS);
    expect([result.ok, id]).toEqual([false, null]);
  });

  it('names the versions it knows to a client of another one', () => {
    const { result } = parseMcpCall(
      legacyPost(rpc('ping'), { 'mcp-protocol-version': '2024-11-05' }),
      LIMITS,
    );
    expect(result).toMatchObject({
      error: {
        reason: 'protocol_version_unsupported',
        publicFacts: {
          requestedVersion: '2024-11-05',
          supportedVersions: ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'],
        },
      },
    });
  });
});
