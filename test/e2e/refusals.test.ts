// Everything that must not pass, through real Envoy, each with its own reason; and what a refusal tells the client.

import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTOSO_TID } from '#demo/directory.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';

let product: Product;
let tracker: string;
let alice: string;
let bob: string;

beforeAll(async () => {
  product = await startProduct();
  tracker = product.serverUrl('tracker');
  alice = await product.token('alice');
  bob = await product.token('bob');
}, 300_000);
afterAll(() => product.stop());

const reasonOf = (answer: RawAnswer): unknown => answer.message.error?.data['reason'];

const listWith = (token: string): Promise<RawAnswer> =>
  send(tracker, statelessRequest('tools/list', {}, { token }));

const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Alice's token with a changed header or payload and, unless given, its old signature. */
const forge = (change: { header?: object; payload?: object; signature?: string }): string => {
  const [header, payload, signature] = alice.split('.');
  return [
    encode({ ...decode(header), ...change.header }),
    encode({ ...decode(payload), ...change.payload }),
    change.signature ?? signature,
  ].join('.');
};

describe('credentials', () => {
  it('asks for a token, with a challenge that leads to the metadata', async () => {
    const answer = await send(tracker, statelessRequest('tools/list', {}, { id: 'n1' }));
    expect(answer.status).toBe(401);
    expect(reasonOf(answer)).toBe('token_missing');
    expect(answer.message.id).toBe('n1');
    const challenge = answer.headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(/^Bearer /);
    expect(challenge).not.toContain('error=');
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const metadata = (await (await fetch(metadataUrl)).json()) as Record<string, unknown>;
    expect(metadata['resource']).toBe(tracker);
    expect(metadata['authorization_servers']).toContain(
      `${product.quickstart.issuer.replace(/\/[0-9a-f-]{36}\/v2\.0$/, '')}/${CONTOSO_TID}/v2.0`,
    );
  });

  it('takes absolute URLs from configuration, never from the request', async () => {
    const answer = await send(tracker, {
      ...statelessRequest(
        'tools/list',
        {},
        { headers: { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' } },
      ),
    });
    expect(answer.headers.get('www-authenticate')).not.toContain('evil.example');
  });

  const cases: [string, string, () => string | Promise<string>][] = [
    ['alg none', 'token_algorithm_refused', () => forge({ header: { alg: 'none' }, signature: '' })],
    ['HS256 signed with the public key', 'token_algorithm_refused', () => signWithPublicKey()],
    [
      'a changed payload',
      'signature_invalid',
      () => forge({ payload: { oid: '10000000-dddd-4ddd-8ddd-00000000000d' } }),
    ],
    ['an unknown key', 'key_unknown', () => forge({ header: { kid: 'nobody' } })],
    ['another issuer', 'issuer_unknown', () => forge({ payload: { iss: 'https://evil.example/v2.0' } })],
    ['a directory that is not allowed', 'directory_tenant_refused', () => otherDirectory()],
    ['the token of another server', 'audience_mismatch', () => product.token('alice', '--server', 'reports')],
    ['the token of the registry', 'audience_mismatch', () => product.token('--admin')],
    ['an expired token', 'token_expired', () => product.expiredToken('alice')],
    ['garbage', 'token_malformed', () => 'not.a.token'],
  ];

  const signWithPublicKey = async (): Promise<string> => {
    const keys = (await (await fetch(product.jwksUrl)).json()) as { keys: { kid: string }[] };
    const key = keys.keys.find((candidate) => candidate.kid === decode(alice.split('.')[0])['kid']);
    return new SignJWT(decode(alice.split('.')[1]))
      .setProtectedHeader({ alg: 'HS256', kid: key?.kid ?? '', typ: 'JWT' })
      .sign(Buffer.from(JSON.stringify(key)));
  };

  const otherDirectory = (): string => {
    const tid = '99999999-9999-4999-8999-999999999999';
    return forge({
      payload: { tid, iss: String(decode(alice.split('.')[1])['iss']).replace(CONTOSO_TID, tid) },
    });
  };

  it.each(cases)('refuses %s as %s', async (_name, reason, token) => {
    const answer = await listWith(await token());
    expect([answer.status, reasonOf(answer)]).toEqual([401, reason]);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('refuses a token in the query and two tokens', async () => {
    const inQuery = await send(
      `${product.canonicalUrl('tracker')}?access_token=${alice}`,
      statelessRequest('tools/list'),
    );
    expect([inQuery.status, reasonOf(inQuery)]).toEqual([400, 'credential_misplaced']);
    const two = await send(tracker, statelessRequest('tools/list', {}, { token: `${alice}, Bearer ${bob}` }));
    expect([two.status, reasonOf(two)]).toEqual([400, 'credential_misplaced']);
  });
});

describe('policy', () => {
  it('refuses a tool that is not granted, and says whom to ask', async () => {
    const answer = await callTool(tracker, bob, { name: 'close_issue', arguments: { id: 'X-1' }, id: 'd1' });
    expect(answer.status).toBe(200);
    expect(answer.message).toMatchObject({
      id: 'd1',
      error: {
        code: -31302,
        message: expect.stringContaining('Ask ada@contoso.example for a grant on server "tracker"'),
        data: {
          reason: 'tool_not_granted',
          contact: 'ada@contoso.example',
          missing: { grant: { serverId: 'tracker', tools: ['close_issue'] } },
          requestId: expect.any(String),
        },
      },
    });
  });

  it('tells no difference between a tool that is not granted and one that does not exist', async () => {
    const [hidden, absent] = await Promise.all(
      ['close_issue', 'no_such_tool'].map((name) => callTool(tracker, bob, { name })),
    );
    const sent = (answer: RawAnswer | undefined, name: string) =>
      JSON.stringify({ ...answer?.message.error, requestId: undefined })
        .replaceAll(String(answer?.message.error?.data['requestId']), 'request')
        .replaceAll(name, 'name');
    expect(sent(hidden, 'close_issue')).toContain('"tools":["name"]');
    expect(sent(absent, 'no_such_tool')).toBe(sent(hidden, 'close_issue'));
  });

  it('refuses a listed tool called with arguments outside policy, naming the constraint', async () => {
    const critical = { title: 'x', description: 'x', priority: 'critical' };
    const answer = await callTool(tracker, bob, { name: 'create_issue', arguments: critical });
    expect(reasonOf(answer)).toBe('constraint_violated');
    expect(answer.message.error?.data['constraint']).toEqual(expect.any(String));
    const exempt = await callTool(tracker, alice, { name: 'create_issue', arguments: critical });
    expect(exempt.message.error).toBeUndefined();
  });

  it('refuses arguments that do not fit the approved schema, and says which; of tools of others it says nothing', async () => {
    const unfit = { title: 1, urgency: 'high' };
    const answer = await callTool(tracker, bob, { name: 'create_issue', arguments: unfit });
    expect(answer.message.error).toMatchObject({
      code: -32602,
      data: {
        reason: 'arguments_invalid',
        remedy: 'fix-request',
        field: 'params.arguments/title',
        keyword: 'type',
      },
    });
    const hidden = await callTool(tracker, bob, { name: 'close_issue', arguments: { id: 'none' } });
    expect(reasonOf(hidden)).toBe('tool_not_granted');
  });

  it('refuses a caller without any grant on the server', async () => {
    const token = await product.token('bob', '--server', 'reports');
    const answer = await send(product.serverUrl('reports'), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    expect([answer.status, reasonOf(answer)]).toEqual([200, 'caller_not_granted']);
  });
});

describe('the request itself', () => {
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<RawAnswer> =>
    send(tracker, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${alice}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        ...headers,
      },
      body,
    });
  const call = (argumentsText: string): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_issues","arguments":${argumentsText}}}`;

  it.each<[string, number, string, () => Promise<RawAnswer>]>([
    ['a batch', 400, 'batch_refused', () => post(`[${call('{}')}]`)],
    ['a duplicate key', 400, 'json_duplicate_key', () => post(call('{"a":1,"a":2}'))],
    [
      'a duplicate key inside an array',
      400,
      'json_duplicate_key',
      () => post(call('{"l":[{"a":1,"\\u0061":2}]}')),
    ],
    ['broken JSON', 400, 'json_invalid', () => post('{"jsonrpc":')],
    [
      'bytes that are not UTF-8',
      400,
      'body_not_utf8',
      () => post(new Uint8Array([...Buffer.from(call('{"a":"')), 0xff])),
    ],
    [
      'an unknown method',
      200,
      'method_unknown',
      () => post('{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}'),
    ],
    ['an oversized body', 413, 'body_too_large', () => post(call(`{"a":"${'x'.repeat(1_500_000)}"}`))],
    ['a compressed body', 415, 'body_encoding_unsupported', () => post('{}', { 'content-encoding': 'gzip' })],
    [
      'a name that differs from its header',
      400,
      'header_mismatch',
      () =>
        send(
          tracker,
          statelessRequest(
            'tools/call',
            { name: 'list_issues', arguments: {} },
            { token: alice, headers: { 'mcp-name': 'close_issue' } },
          ),
        ),
    ],
    [
      'a name that differs from its base64 header',
      400,
      'header_mismatch',
      () =>
        send(
          tracker,
          statelessRequest(
            'tools/call',
            { name: 'list_issues', arguments: {} },
            {
              token: alice,
              headers: { 'mcp-name': `=?base64?${Buffer.from('close_issue').toString('base64')}?=` },
            },
          ),
        ),
    ],
    [
      'a forged header of the other era',
      400,
      'header_mismatch',
      () => post(call('{}'), { 'mcp-name': 'close_issue' }),
    ],
    [
      'a foreign web origin',
      403,
      'origin_forbidden',
      () => post(call('{}'), { origin: 'https://evil.example' }),
    ],
  ])('refuses %s', async (_name, status, reason, request) => {
    const answer = await request();
    expect([answer.status, reasonOf(answer)], answer.text).toEqual([status, reason]);
  });

  it('takes the base64 form of a name that agrees', async () => {
    const headers = { 'mcp-name': `=?base64?${Buffer.from('list_issues').toString('base64')}?=` };
    const answer = await send(
      tracker,
      statelessRequest('tools/call', { name: 'list_issues', arguments: {} }, { token: alice, headers }),
    );
    expect(answer.message.error).toBeUndefined();
  });

  it('answers a body past the hard limit of the door with a JSON-RPC error too', async () => {
    const answer = await post(call(`{"a":"${'x'.repeat(6_000_000)}"}`));
    expect(answer.status).toBe(413);
    expect(answer.message.error?.code).toBeLessThan(0);
  });

  it('does not believe internal headers a client sends', async () => {
    const headers = { 'x-mcpgw-version': '9.9.9', 'x-mcpgw-tenant': 'other' };
    const answer = await send(tracker, statelessRequest('tools/list', {}, { token: alice, headers }));
    expect(answer.status).toBe(200);
  });

  it('knows no other server, and no path that only resembles one', async () => {
    const origin = new URL(tracker).origin;
    for (const path of [
      '/mcp/nothing',
      '/t/nobody/mcp/tracker',
      '/t/default//mcp/tracker',
      '/T/default/mcp/tracker',
      '/t/default/mcp/tracker/',
      '/t/default/mcp/tracker;x=1',
      '/t/x/../default/mcp/nothing',
      '/',
    ]) {
      const answer = await send(`${origin}${path}`, statelessRequest('tools/list', {}, { token: alice }));
      expect([400, 404], path).toContain(answer.status);
      expect(answer.message.error, path).toBeDefined();
    }
  });
});

describe('the exchange of the token', () => {
  it.each<[string, number, string]>([
    ['interaction_required', 401, 'step_up_required'],
    ['throttled', 503, 'provider_throttled'],
    ['server_error', 503, 'provider_unavailable'],
    ['assertion_invalid', 401, 'assertion_rejected'],
    ['blocked', 200, 'access_blocked'],
    // Remembered for everybody of the directory, so nothing can be asked after it.
    ['consent_required', 200, 'consent_required'],
  ])('turns %s into HTTP %i and %s, and repeats nothing the provider said', async (fault, status, reason) => {
    const token = await product.token('alice');
    await product.setProviderFault(fault);
    const answer = await callTool(tracker, token, { name: 'whoami' });
    await product.clearProviderFaults();
    expect(reasonOf(answer), answer.text).toBe(reason);
    if (fault === 'interaction_required') expect([401, 403]).toContain(answer.status);
    else expect(answer.status).toBe(status);
    if (fault === 'throttled') expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.text).not.toMatch(/AADSTS|trace_id|Trace ID/i);
  });
});

describe('what stays inside', () => {
  it('puts one line per decision into the log, with reason and durations, and no token anywhere', async () => {
    await callTool(tracker, bob, { name: 'close_issue', id: 'log-1' });
    const lines = await product.decisions();
    const refused = lines.findLast((line) => line['reason'] === 'tool_not_granted');
    expect(refused).toMatchObject({
      tenant: 'default',
      server: 'tracker',
      tool: expect.any(String),
      decision: 'deny',
      policyRevision: expect.any(String),
    });
    expect(refused?.['milliseconds']).toMatchObject({
      total: expect.any(Number),
      policy: expect.any(Number),
    });
    const allowed = lines.findLast((line) => line['decision'] === 'allow' && line['tool'] !== undefined);
    expect(allowed).toMatchObject({
      tokenSource: expect.any(String),
      principal: expect.any(String),
      version: '1.0.0',
    });
    for (const step of ['locate', 'parse', 'identity', 'policy', 'exchange', 'total']) {
      expect(allowed?.['milliseconds'], step).toHaveProperty(step, expect.any(Number));
    }
    const logs = await product.allLogs();
    for (const token of [alice, bob]) {
      expect(logs).not.toContain(token);
      expect(logs).not.toContain(token.split('.')[2]);
    }
    expect(logs).not.toContain('demo-secret');
  });
});
