// Hostile requests against the parser, each with the reason it is refused for. The first eight groups are classes of
// published attacks on gateways; the last is every case that Envoy's own MCP filter was seen to let through.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason } from '#core/reason.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import {
  CAPABILITIES_KEY,
  httpRequest,
  legacyPost,
  META,
  statelessPost,
  VERSION_KEY,
} from '#test/support/http-requests.ts';

type Case = [what: string, reason: Reason, request: HttpRequest, field?: string];

const MAX_BODY_BYTES = 4096;

const refuses = (cases: readonly Case[]): void => {
  it.each(cases)('refuses %s as %s', (_what, reason, request, field) => {
    const { result } = parseMcpCall(request, { maxBodyBytes: MAX_BODY_BYTES });
    expect(result).toMatchObject({ ok: false, error: { kind: 'deny', reason } });
    if (field !== undefined && !result.ok) expect(result.error.publicFacts.field).toBe(field);
  });
};

const call = (params: object = { name: 'list' }) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const statelessCall = (headers: Parameters<typeof statelessPost>[1], params: object = { name: 'list' }) =>
  statelessPost({ method: 'tools/call', params: params as Record<string, unknown> }, headers);
const base64 = (text: string | Uint8Array): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const rawCall = (params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
const message = (change: object): object => ({ jsonrpc: '2.0', id: 1, method: 'ping', ...change });

describe('headers that disagree with the body', () => {
  refuses([
    ['a name of another tool', 'header_mismatch', statelessCall({ 'mcp-name': 'close' }), 'mcp-name'],
    ['a name in another case', 'header_mismatch', statelessCall({ 'mcp-name': 'List' }), 'mcp-name'],
    ['no name', 'header_mismatch', statelessCall({ 'mcp-name': null }), 'mcp-name'],
    ['an empty name', 'header_mismatch', statelessCall({ 'mcp-name': '' }), 'mcp-name'],
    ['another method', 'header_mismatch', statelessCall({ 'mcp-method': 'ping' }), 'mcp-method'],
    ['no method', 'header_mismatch', statelessCall({ 'mcp-method': null }), 'mcp-method'],
    ['an encoded method', 'header_mismatch', statelessCall({ 'mcp-method': base64('tools/call') })],
    ['a URI of another resource', 'header_mismatch', otherResource()],
    [
      'a name where the body has none to mirror',
      'header_mismatch',
      statelessPost({ method: 'tools/list' }, { 'mcp-name': 'list' }),
      'mcp-name',
    ],
    ['two names', 'header_invalid', statelessCall({ 'mcp-name': ['list', 'close'] }), 'mcp-name'],
    ['the same name twice', 'header_invalid', statelessCall({ 'mcp-name': ['list', 'list'] })],
    ['two methods', 'header_invalid', statelessCall({ 'mcp-method': ['tools/call', 'ping'] })],
    [
      'two versions',
      'header_invalid',
      statelessCall({ 'mcp-protocol-version': ['2026-07-28', '2025-11-25'] }),
      'mcp-protocol-version',
    ],
    ['two values of one parameter', 'header_invalid', statelessCall({ 'mcp-param-region': ['eu', 'us'] })],
    ['two sessions', 'header_invalid', legacyPost(message({}), { 'mcp-session-id': ['a', 'b'] })],
    ['two names joined by a comma', 'header_mismatch', statelessCall({ 'mcp-name': 'list, close' })],
    ['a version header without its body', 'params_invalid', statelessCall({}, { name: 'list', _meta: {} })],
    ['a body version without its header', 'header_mismatch', statelessCall({ 'mcp-protocol-version': null })],
    [
      'a body version other than the header',
      'header_mismatch',
      statelessCall({ 'mcp-protocol-version': '2025-11-25' }),
      'mcp-protocol-version',
    ],
    ['a version no one knows', 'protocol_version_unsupported', unknownVersion()],
    [
      'no client capabilities',
      'params_invalid',
      statelessCall({}, { name: 'list', _meta: { [VERSION_KEY]: '2026-07-28' } }),
      `params._meta.${CAPABILITIES_KEY}`,
    ],
    ['a version that is no string', 'params_invalid', metaOf({ ...META, [VERSION_KEY]: 20260728 })],
    ['meta that is no object', 'params_invalid', metaOf([])],
    [
      'a session in the era without sessions',
      'header_invalid',
      statelessCall({ 'mcp-session-id': 'stolen' }),
      'mcp-session-id',
    ],
    ['a session id with a space', 'header_invalid', legacyPost(message({}), { 'mcp-session-id': 'a b' })],
  ]);
});

function otherResource(): HttpRequest {
  return statelessPost({ method: 'resources/read', params: { uri: 'a://1' } }, { 'mcp-name': 'a://2' });
}

function unknownVersion(): HttpRequest {
  const meta = { ...META, [VERSION_KEY]: '2099-01-01' };
  return statelessCall({ 'mcp-protocol-version': '2099-01-01' }, { name: 'list', _meta: meta });
}

function metaOf(meta: unknown): HttpRequest {
  return statelessCall({}, { name: 'list', _meta: meta });
}

describe('the encoded form of a header', () => {
  const unicode = { name: 'größe' };
  refuses([
    ['another name, encoded', 'header_mismatch', statelessCall({ 'mcp-name': base64('close') })],
    ['bytes that are no base64', 'header_mismatch', statelessCall({ 'mcp-name': '=?base64?list?*?=' })],
    ['base64 without its padding', 'header_mismatch', statelessCall({ 'mcp-name': '=?base64?bGlzdA?=' })],
    ['the URL alphabet', 'header_mismatch', statelessCall({ 'mcp-name': '=?base64?_-8=?=' })],
    ['a mark in capitals', 'header_mismatch', statelessCall({ 'mcp-name': '=?BASE64?bGlzdA==?=' })],
    [
      'bytes that are not UTF-8',
      'header_mismatch',
      statelessCall({ 'mcp-name': base64(Buffer.from([255])) }),
    ],
    [
      'a byte-order mark before the name',
      'header_mismatch',
      statelessCall({ 'mcp-name': base64('\ufefflist') }),
    ],
    [
      'bytes beyond ASCII, which are one name in Latin-1 and another in UTF-8',
      'header_mismatch',
      statelessCall({ 'mcp-name': Buffer.from('é').toString('latin1') }, { name: 'Ã©' }),
    ],
    ['a name encoded twice', 'header_mismatch', statelessCall({ 'mcp-name': base64(base64('list')) })],
    [
      'raw bytes beyond ASCII',
      'header_mismatch',
      statelessCall({ 'mcp-name': Buffer.from('größe').toString('latin1') }, unicode),
    ],
    [
      'a literal that looks encoded',
      'header_mismatch',
      statelessCall({ 'mcp-name': '=?base64?bGlzdA==?=' }, { name: '=?base64?bGlzdA==?=' }),
    ],
  ]);
});

describe('documents with two readings', () => {
  const bytes = (text: string, ...tail: number[]) => Buffer.concat([Buffer.from(text), Buffer.from(tail)]);
  refuses([
    [
      'a method given twice',
      'json_duplicate_key',
      legacyPost('{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}'),
    ],
    [
      'a name given twice',
      'json_duplicate_key',
      legacyPost(rawCall('{"name":"list","name":"close"}')),
      'name',
    ],
    [
      'a name given twice by escape',
      'json_duplicate_key',
      legacyPost(rawCall('{"name":"list","\\u006eame":"close"}')),
    ],
    [
      'a repeated key in an array element',
      'json_duplicate_key',
      legacyPost(rawCall('{"name":"list","arguments":{"l":[{"a":1,"a":2}]}}')),
    ],
    ['a second document', 'json_invalid', legacyPost('{"jsonrpc":"2.0","id":1,"method":"ping"}{}')],
    ['a byte-order mark', 'json_invalid', legacyPost('\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}')],
    ['bytes that are not UTF-8', 'body_not_utf8', legacyPost(bytes('{"a":"', 0xff, 0x22, 0x7d))],
    ['half a surrogate pair', 'json_invalid', legacyPost(rawCall('{"name":"\\ud800"}'))],
    [
      'an argument that would be rounded',
      'json_invalid',
      legacyPost(rawCall('{"name":"l","arguments":{"n":9007199254740993}}')),
    ],
    [
      'a number beyond any number',
      'json_invalid',
      legacyPost(rawCall('{"name":"l","arguments":{"n":1e999}}')),
    ],
    ['a bomb of brackets', 'json_too_deep', legacyPost('['.repeat(1500))],
    ['nesting of 65', 'json_too_deep', legacyPost(rawCall(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`))],
    ['no body', 'json_invalid', legacyPost('')],
    ['NUL in a key', 'json_invalid', legacyPost(rawCall('{"name\\u0000":"close","name":"list"}'))],
  ]);
});

describe('members written in a second way', () => {
  refuses([
    ['Method', 'jsonrpc_invalid', legacyPost(message({ Method: 'tools/call' })), 'Method'],
    ['PARAMS', 'jsonrpc_invalid', legacyPost(message({ PARAMS: {} })), 'PARAMS'],
    ['paramſ, which folds to params', 'jsonrpc_invalid', legacyPost(message({ paramſ: {} }))],
    ['an unknown member', 'jsonrpc_invalid', legacyPost(message({ extra: 1 })), 'extra'],
    [
      '__proto__ as a member',
      'json_ambiguous_key',
      legacyPost('{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{}}'),
    ],
    [
      'arguments under the prototype of params',
      'json_ambiguous_key',
      legacyPost(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","__proto__":{"arguments":{"amount":9999}}}}',
      ),
    ],
    ['Name', 'params_invalid', legacyPost(call({ name: 'list', Name: 'close' })), 'params.Name'],
    ['Name alone', 'params_invalid', legacyPost(call({ Name: 'close' })), 'params.Name'],
    ['ｎａｍｅ in full width', 'params_invalid', legacyPost(call({ name: 'list', ｎａｍｅ: 'close' }))],
    ['ARGUMENTS', 'params_invalid', legacyPost(call({ name: 'list', ARGUMENTS: {} })), 'params.ARGUMENTS'],
    ['argumentſ', 'params_invalid', legacyPost(call({ name: 'list', argumentſ: {} }))],
    [
      'URI',
      'params_invalid',
      legacyPost(message({ method: 'resources/read', params: { uri: 'a://1', URI: 'a://2' } })),
    ],
    ['_Meta', 'params_invalid', legacyPost(call({ name: 'list', _Meta: META }))],
    [
      'a version key in another case',
      'params_invalid',
      metaOf({ ...META, 'io.modelcontextprotocol/ProtocolVersion': '2025-11-25' }),
    ],
    [
      'a reference with Name',
      'params_invalid',
      legacyPost(
        message({
          method: 'completion/complete',
          params: { ref: { type: 'ref/prompt', name: 'a', Name: 'b' } },
        }),
      ),
      'params.ref.Name',
    ],
    [
      'subscriptions written ResourceSubscriptions',
      'params_invalid',
      statelessPost({
        method: 'subscriptions/listen',
        params: { notifications: { ResourceSubscriptions: ['a://secret'] } },
      }),
      'params.notifications.ResourceSubscriptions',
    ],
  ]);
});

describe('batches, methods and envelopes', () => {
  refuses([
    ['a batch', 'batch_refused', legacyPost([call(), call()])],
    ['a batch of one', 'batch_refused', legacyPost([call()])],
    ['an empty batch', 'batch_refused', legacyPost([])],
    [
      'a batch in the one revision that had them',
      'batch_refused',
      legacyPost([call()], { 'mcp-protocol-version': '2025-03-26' }),
    ],
    [
      'a batch in the stateless era',
      'batch_refused',
      legacyPost([call()], { 'mcp-protocol-version': '2026-07-28' }),
    ],
    ['an unknown method', 'method_unknown_in_session', legacyPost(message({ method: 'tools/destroy' }))],
    ['a method in another case', 'method_unknown_in_session', legacyPost(message({ method: 'Tools/Call' }))],
    [
      'a name from Object.prototype',
      'method_unknown_in_session',
      legacyPost(message({ method: 'constructor' })),
    ],
    [
      'tasks, which nobody would judge',
      'method_unknown_in_session',
      legacyPost(message({ method: 'tasks/get' })),
    ],
    ['ping in the stateless era', 'method_unknown', statelessPost({ method: 'ping' })],
    ['initialize in the stateless era', 'method_unknown', statelessPost({ method: 'initialize' })],
    [
      'server/discover in the legacy era',
      'method_unknown_in_session',
      legacyPost(message({ method: 'server/discover' })),
    ],
    [
      'a method with a line break',
      'jsonrpc_invalid',
      legacyPost(message({ method: 'tools/call\r\nx' })),
      'method',
    ],
    ['a method beyond ASCII', 'jsonrpc_invalid', legacyPost(message({ method: 'tools/çall' }))],
    ['an empty method', 'jsonrpc_invalid', legacyPost(message({ method: '' }))],
    ['a method that is no string', 'jsonrpc_invalid', legacyPost(message({ method: 5 }))],
    ['a method of null', 'jsonrpc_invalid', legacyPost(message({ method: null }))],
    ['JSON-RPC 1.0', 'jsonrpc_invalid', legacyPost(message({ jsonrpc: '1.0' })), 'jsonrpc'],
    ['no JSON-RPC version', 'jsonrpc_invalid', legacyPost({ id: 1, method: 'ping' })],
    ['a bare string', 'jsonrpc_invalid', legacyPost('"ping"')],
    ['null', 'jsonrpc_invalid', legacyPost('null')],
    ['an id of null', 'jsonrpc_invalid', legacyPost(message({ id: null })), 'id'],
    ['an id with a fraction', 'jsonrpc_invalid', legacyPost(message({ id: 1.5 })), 'id'],
    ['an id that is an object', 'jsonrpc_invalid', legacyPost(message({ id: {} })), 'id'],
    [
      'an id beyond 2^53',
      'json_invalid',
      legacyPost('{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'),
    ],
    [
      'an id beyond 2^53 in exponent form',
      'jsonrpc_invalid',
      legacyPost('{"jsonrpc":"2.0","id":1e17,"method":"ping"}'),
      'id',
    ],
    ['an endless id', 'jsonrpc_invalid', legacyPost(message({ id: 'x'.repeat(257) })), 'id'],
    [
      'a call without an id',
      'jsonrpc_invalid',
      legacyPost({ jsonrpc: '2.0', method: 'tools/call', params: { name: 'x' } }),
      'id',
    ],
    [
      'a notification with an id',
      'jsonrpc_invalid',
      legacyPost(message({ method: 'notifications/cancelled' })),
      'id',
    ],
    ['a method and a result', 'jsonrpc_invalid', legacyPost(message({ result: {} })), 'result'],
    ['a method and an error', 'jsonrpc_invalid', legacyPost(message({ error: {} })), 'error'],
    ['neither method nor result', 'jsonrpc_invalid', legacyPost({ jsonrpc: '2.0', id: 1 })],
    [
      'a result and an error',
      'jsonrpc_invalid',
      legacyPost({ jsonrpc: '2.0', id: 1, result: {}, error: {} }),
    ],
    ['a result that is no object', 'jsonrpc_invalid', legacyPost({ jsonrpc: '2.0', id: 1, result: [] })],
    [
      'a response with params',
      'jsonrpc_invalid',
      legacyPost({ jsonrpc: '2.0', id: 1, result: {}, params: {} }),
    ],
    ['a response without id', 'jsonrpc_invalid', legacyPost({ jsonrpc: '2.0', result: {} })],
    [
      'a response in the stateless era',
      'jsonrpc_invalid',
      legacyPost({ jsonrpc: '2.0', id: 1, result: {} }, { 'mcp-protocol-version': '2026-07-28' }),
    ],
    [
      'a response that pretends to be a call',
      'header_mismatch',
      legacyPost({ jsonrpc: '2.0', id: 1, result: {} }, { 'mcp-method': 'tools/call' }),
    ],
    ['params that are an array', 'params_invalid', legacyPost(message({ params: ['x'] })), 'params'],
    ['params of null', 'params_invalid', legacyPost(message({ params: null })), 'params'],
  ]);
});

describe('parameters', () => {
  const read = (uri: unknown) => legacyPost(message({ method: 'resources/read', params: { uri } }));
  refuses([
    ['no tool name', 'params_invalid', legacyPost(call({})), 'params.name'],
    ['an empty name', 'params_invalid', legacyPost(call({ name: '' })), 'params.name'],
    ['a name that is a number', 'params_invalid', legacyPost(call({ name: 5 })), 'params.name'],
    ['a name that is a list', 'params_invalid', legacyPost(call({ name: ['list'] })), 'params.name'],
    ['NUL in a name', 'params_invalid', legacyPost(call({ name: 'li\u0000st' })), 'params.name'],
    ['a line break in a name', 'params_invalid', legacyPost(call({ name: 'list\r\nx: y' })), 'params.name'],
    ['an endless name', 'params_invalid', legacyPost(call({ name: 'x'.repeat(257) })), 'params.name'],
    [
      'arguments that are a list',
      'params_invalid',
      legacyPost(call({ name: 'list', arguments: [] })),
      'params.arguments',
    ],
    [
      'arguments of null',
      'params_invalid',
      legacyPost(call({ name: 'list', arguments: null })),
      'params.arguments',
    ],
    ['no URI', 'params_invalid', read(undefined), 'params.uri'],
    ['a URI with a control character', 'params_invalid', read('a://\u0085'), 'params.uri'],
    [
      'a reference of an unknown type',
      'params_invalid',
      legacyPost(
        message({ method: 'completion/complete', params: { ref: { type: 'ref/tool', name: 'x' } } }),
      ),
    ],
    [
      'no reference',
      'params_invalid',
      legacyPost(message({ method: 'completion/complete', params: {} })),
      'params.ref',
    ],
    [
      'subscriptions that are no list',
      'params_invalid',
      statelessPost({
        method: 'subscriptions/listen',
        params: { notifications: { resourceSubscriptions: 'a://1' } },
      }),
    ],
    [
      'a subscription that is no string',
      'params_invalid',
      statelessPost({
        method: 'subscriptions/listen',
        params: { notifications: { resourceSubscriptions: ['a://1', 5] } },
      }),
    ],
    [
      'an initialize without version',
      'params_invalid',
      legacyPost(message({ method: 'initialize', params: {} })),
    ],
  ]);
});

describe('bodies cut, swollen or packed', () => {
  const body = JSON.stringify(message({}));
  const length = String(body.length);
  refuses([
    ['one byte too many', 'body_too_large', legacyPost(body.padEnd(MAX_BODY_BYTES + 1))],
    ['a declared length beyond the limit', 'body_too_large', legacyPost('', { 'content-length': '5000000' })],
    [
      'a body Envoy could not hold whole',
      'body_incomplete',
      legacyPost(body, { 'x-envoy-auth-partial-body': 'true' }),
    ],
    [
      'a partial mark beside a denial of it',
      'body_incomplete',
      legacyPost(body, { 'x-envoy-auth-partial-body': ['false', 'true'] }),
    ],
    [
      'fewer bytes than declared',
      'body_incomplete',
      legacyPost(body, { 'content-length': String(body.length + 1) }),
    ],
    [
      'more bytes than declared',
      'body_incomplete',
      legacyPost(body, { 'content-length': String(body.length - 1) }),
    ],
    ['two lengths', 'header_invalid', legacyPost(body, { 'content-length': [length, '1'] })],
    ['a length that is no number', 'header_invalid', legacyPost(body, { 'content-length': `+${length}` })],
    ['gzip', 'body_encoding_unsupported', legacyPost(body, { 'content-encoding': 'gzip' })],
    ['brotli in capitals', 'body_encoding_unsupported', legacyPost(body, { 'content-encoding': 'BR' })],
    ['two encodings', 'header_invalid', legacyPost(body, { 'content-encoding': ['identity', 'gzip'] })],
  ]);

  it('takes a body of exactly the limit', () => {
    const exact = legacyPost(body.padEnd(MAX_BODY_BYTES));
    expect(parseMcpCall(exact, { maxBodyBytes: MAX_BODY_BYTES }).result.ok).toBe(true);
  });
});

describe('media types, HTTP methods and credentials', () => {
  const post = (headers: Parameters<typeof legacyPost>[1]) => legacyPost(message({}), headers);
  const get = (headers: Parameters<typeof httpRequest>[1], body = '') =>
    httpRequest('GET', { accept: 'text/event-stream', ...headers }, body);
  const query = (text: string) => legacyPost(message({}), {}, { query: text });
  refuses([
    ['no content type', 'media_type_unsupported', post({ 'content-type': null })],
    ['text/plain', 'media_type_unsupported', post({ 'content-type': 'text/plain' })],
    [
      'JSON hidden in a parameter',
      'media_type_unsupported',
      post({ 'content-type': 'text/plain; a=application/json' }),
    ],
    ['a relative of JSON', 'media_type_unsupported', post({ 'content-type': 'application/json-patch+json' })],
    [
      'another charset',
      'media_type_unsupported',
      post({ 'content-type': 'application/json; charset=utf-16' }),
    ],
    [
      'two content types in one line',
      'media_type_unsupported',
      post({ 'content-type': 'application/json, text/plain' }),
    ],
    ['two content types', 'header_invalid', post({ 'content-type': ['application/json', 'text/plain'] })],
    ['no Accept', 'accept_unsupported', post({ accept: null })],
    [
      'Accept of JSON only, which would leave streams unjudged',
      'accept_unsupported',
      post({ accept: 'application/json' }),
    ],
    ['Accept of streams only', 'accept_unsupported', post({ accept: 'text/event-stream' })],
    [
      'a stream that is refused by weight',
      'accept_unsupported',
      post({ accept: 'application/json, text/event-stream;q=0' }),
    ],
    ['a GET for a page', 'accept_unsupported', get({ accept: 'text/html' })],
    ['a GET with a body', 'jsonrpc_invalid', get({}, JSON.stringify(call())), 'body'],
    ['a GET that declares a body', 'jsonrpc_invalid', get({ 'content-length': '40' }), 'body'],
    [
      'a GET that pretends to be a call',
      'header_mismatch',
      get({ 'mcp-method': 'tools/call' }),
      'mcp-method',
    ],
    ['a GET with a name', 'header_mismatch', get({ 'mcp-name': 'list' }), 'mcp-name'],
    ['a GET in the stateless era', 'http_method_not_allowed', get({ 'mcp-protocol-version': '2026-07-28' })],
    ['a GET of an unknown version', 'protocol_version_unsupported', get({ 'mcp-protocol-version': 'x' })],
    ['two last event ids', 'header_invalid', get({ 'last-event-id': ['1', '2'] })],
    ['a DELETE with a body', 'jsonrpc_invalid', httpRequest('DELETE', {}, '{}')],
    [
      'a DELETE in the stateless era',
      'http_method_not_allowed',
      httpRequest('DELETE', { 'mcp-protocol-version': '2026-07-28' }),
    ],
    ...['PUT', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'post', ''].map(
      (method): Case => [`the HTTP method ${method}`, 'http_method_not_allowed', httpRequest(method, {})],
    ),
    ...[
      'access_token=x',
      'a=1&Token=x',
      'access%5Ftoken=x',
      '%61ccess_token',
      'authorization=Bearer+x',
      'id_token=x',
    ].map((text): Case => [`a credential in the query (${text})`, 'credential_misplaced', query(text)]),
  ]);
});

describe('what a parser before us lets through', () => {
  refuses([
    [
      'header 2025-11-25 over a body of 2026-07-28',
      'header_mismatch',
      statelessCall({ 'mcp-protocol-version': '2025-11-25' }),
    ],
    [
      'a body of 2026-07-28 without version header',
      'header_mismatch',
      statelessCall({ 'mcp-protocol-version': null }),
    ],
    [
      'a legacy call under another name',
      'header_mismatch',
      legacyPost(call(), { 'mcp-name': 'close' }),
      'mcp-name',
    ],
    [
      'a legacy call under another method',
      'header_mismatch',
      legacyPost(call(), { 'mcp-method': 'tools/list' }),
      'mcp-method',
    ],
    [
      'a legacy name under a body without one',
      'header_mismatch',
      legacyPost(message({}), { 'mcp-name': 'list' }),
    ],
    [
      'a call of no version under another name',
      'header_mismatch',
      legacyPost(call(), { 'mcp-protocol-version': null, 'mcp-name': 'close' }),
    ],
    ['a name that is a number', 'params_invalid', legacyPost(call({ name: 5 }))],
    ['a name with NUL', 'params_invalid', legacyPost(call({ name: 'ec\u0000ho' }))],
  ]);
});

describe('any request at all', () => {
  const text = fc.string({ maxLength: 20 });
  const header = fc.constantFrom(
    'mcp-method',
    'mcp-name',
    'mcp-protocol-version',
    'mcp-session-id',
    'accept',
  );
  const value = fc.oneof(text, fc.constantFrom('tools/call', 'list', '2026-07-28', '2025-11-25', '*/*'));
  const key = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'Method', 'name', '_meta');
  const json = fc.oneof(
    fc.dictionary(key, fc.oneof(fc.jsonValue(), value)),
    fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.integer(), text),
      method: fc.constantFrom('tools/call', 'ping', 'resources/read', 'subscriptions/listen'),
      params: fc.dictionary(
        fc.constantFrom('name', 'uri', 'arguments', '_meta', 'notifications'),
        fc.oneof(fc.jsonValue(), value, fc.constant(META)),
      ),
    }),
  );

  it('is understood or refused, and never throws', () => {
    const anyRequest = fc.tuple(
      json,
      fc.dictionary(header, fc.oneof(value, fc.array(value, { maxLength: 2 }))),
    );
    fc.assert(
      fc.property(anyRequest, ([body, headers]) => {
        const { result } = parseMcpCall(legacyPost(body, headers), { maxBodyBytes: MAX_BODY_BYTES });
        if (result.ok) expect(result.value.method).toBe((body as { method?: string }).method);
        else expect(result.error.kind).toBe('deny');
      }),
      { numRuns: 3_000 },
    );
  });

  it('is never understood as a call of another tool than the one its header names', () => {
    const names = fc.constantFrom('list', 'close', 'List', base64('list'), base64('close'));
    fc.assert(
      fc.property(
        names,
        names,
        fc.constantFrom('2025-11-25', '2026-07-28', null),
        (inBody, inHeader, version) => {
          const params = { name: inBody, ...(version === '2026-07-28' ? { _meta: META } : {}) };
          const headers = {
            'mcp-protocol-version': version,
            'mcp-method': 'tools/call',
            'mcp-name': inHeader,
          };
          const { result } = parseMcpCall(legacyPost(call(params), headers), {
            maxBodyBytes: MAX_BODY_BYTES,
          });
          const encoded = /^=\?base64\?(.*)\?=$/.exec(inHeader)?.[1];
          const meant = encoded === undefined ? inHeader : Buffer.from(encoded, 'base64').toString();
          expect(result.ok).toBe(meant === inBody);
        },
      ),
    );
  });
});
