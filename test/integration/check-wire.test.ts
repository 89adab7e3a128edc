// The two converters at the border to Envoy, on the real Envoy: what it sends is read as the client wrote it, and what
// we answer does what it says.

import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allow, type Decision, deny } from '#core/decision.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import { Secret } from '#core/secret.ts';
import { readCheckRequest } from '#ext-authz/request/check-request-fields.ts';
import { type HttpRequest, requestFromCheckRequest } from '#ext-authz/request/from-check-request.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { checkResponseFromDecision, type ResponseContext } from '#ext-authz/response/check-response.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response-message.ts';
import { answerPreflight, corsHeaders } from '#ext-authz/response/cors.ts';
import { encodeCheckResponse } from '#ext-authz/response/encode-check-response.ts';
import { referenceFields, referenceResponseBytes } from '#test/support/check-codec.ts';
import { BUFFERED_BYTES, type CheckBench, startCheckBench } from '#test/support/check-envoy.ts';

let bench: CheckBench;
beforeAll(async () => {
  bench = await startCheckBench();
});
afterAll(() => bench?.stop());

const orders: GuardOrders = {
  guard: 'list',
  tenantId: 'default',
  serverId: 'tracker',
  version: '1.2.0',
  principal: 'p',
  era: 'stateless',
  requestId: 'r',
  sequence: 12,
  lists: [{ kind: 'tools', visible: { all: false, names: ['a', 'b'] } }],
};
const allowed = (token: string | null): Decision =>
  allow({
    identity: {} as Identity,
    version: '1.2.0',
    upstreamToken: token === null ? null : new Secret(token),
    orders,
  });

let seen: HttpRequest | undefined;
/** Every message of this file, as it went over the wire. */
const exchanged: { readonly request: Buffer; readonly response: CheckResponseMessage }[] = [];

const answerWith = (
  decide: (request: HttpRequest) => Decision,
  change: Partial<ResponseContext> = {},
): void => {
  bench.check = (message) => {
    seen = requestFromCheckRequest(message);
    const context = { id: 7, requestId: seen.requestId, scopes: ['tools.use'], refusalStatus: 200 as const };
    const response = checkResponseFromDecision(decide(seen), { ...context, ...change });
    exchanged.push({ request: message, response });
    return response;
  };
};

type Answer = { status: number; headers: Record<string, string[] | undefined>; text: string };
type Echo = { url: string; headers: Record<string, string[]>; body: string };

/** Headers are given as lines, so that one can stand twice. */
const send = (method: string, lines: readonly string[] = [], body: string | Buffer = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = ['host', 'gw.example', 'content-length', String(Buffer.byteLength(body)), ...lines];
    const request = httpRequest(
      { host: '127.0.0.1', port: bench.port, path: '/mcp/tracker?a=1', method, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headersDistinct, text }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });

const echoOf = (answer: Answer): Echo => JSON.parse(answer.text) as Echo;
const reasonOf = (answer: Answer): unknown => JSON.parse(answer.text).error.data.reason;

describe('what Envoy sends', () => {
  it('is read as the client wrote it: lines apart, bytes untouched, query cut', async () => {
    answerWith(() => allowed(null));
    const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    await send('POST', ['Mcp-Name', 'a', 'mcp-name', 'b', 'accept', 'x', 'accept', 'y'], body);
    expect(seen).toMatchObject({
      method: 'POST',
      path: '/mcp/tracker',
      query: 'a=1',
      body,
      clientAddress: '127.0.0.1',
      context: { tenantId: 'default', serverId: 'tracker' },
    });
    expect(seen?.headers.get('mcp-name')).toEqual(['a', 'b']);
    expect(seen?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is read where the client sent bytes that are no text', async () => {
    answerWith(() => allowed(null));
    await send('POST', ['x-note', 'b\xffc']);
    expect(seen?.headers.get('x-note')).toEqual(['b\xffc']);
  });

  it('shows two credentials where the client sent two, in lines or joined by Envoy', async () => {
    answerWith(() => deny('credential_misplaced'));
    await send('POST', ['authorization', 'Bearer a', 'authorization', 'Bearer b']);
    const lines = seen?.headers.get('authorization') ?? [];
    expect(lines.length > 1 || lines[0]?.includes(',')).toBe(true);
  });

  it.each<[string, string[], string, string]>([
    ['a name given twice', ['mcp-name', 'list', 'mcp-name', 'list'], '{}', 'header_invalid'],
    ['a body Envoy had to cut', [], ' '.repeat(BUFFERED_BYTES + 1), 'body_incomplete'],
    ['a batch', ['accept', '*/*', 'content-type', 'application/json'], '[]', 'batch_refused'],
  ])('leads to the refusal of %s', async (_what, lines, body, reason) => {
    answerWith((request) => {
      const { result } = parseMcpCall(request, { maxBodyBytes: 1_000_000 });
      return result.ok ? allowed(null) : result.error;
    });
    expect(reasonOf(await send('POST', lines, body))).toBe(reason);
  });
});

describe('an Allow', () => {
  it('puts the token for the server in place of all the caller sent', async () => {
    answerWith(() => allowed('upstream'));
    const own = ['authorization', 'Bearer mine', 'authorization', 'Bearer other', 'dpop', 'proof'];
    const { headers } = echoOf(await send('POST', [...own, 'x-mcpgw-version', '9.9.9']));
    expect(headers['authorization']).toEqual(['Bearer upstream']);
    expect(headers['x-mcpgw-version']).toEqual(['1.2.0']);
    expect(headers).not.toHaveProperty('dpop');
  });

  it('sends no token where there is none to send', async () => {
    answerWith(() => allowed(null));
    const { headers } = echoOf(await send('POST', ['authorization', 'Bearer mine']));
    expect(headers).not.toHaveProperty('authorization');
  });

  it('hands the orders on as metadata, lists and numbers kept', async () => {
    answerWith(() => allowed(null));
    const { headers } = echoOf(await send('POST'));
    expect(headers['x-test-guard']).toEqual(['list']);
    expect(Number(headers['x-test-sequence']?.[0])).toBe(12);
    expect(JSON.parse(headers['x-test-lists']?.[0] ?? '')).toEqual([
      { kind: 'tools', all: false, names: ['a', 'b'] },
    ]);
  });

  it('overrules the CORS headers of the server', async () => {
    answerWith(() => allowed(null), { cors: corsHeaders('https://app.example') });
    const { headers } = await send('POST');
    expect(headers['access-control-allow-origin']).toEqual(['https://app.example']);
    expect(headers['vary']?.join().split(/, ?/)).toEqual(['Accept', 'Origin']);
  });
});

describe('a refusal', () => {
  it('arrives with its challenge as one header, and its body as JSON', async () => {
    answerWith(() => deny('token_expired'), { resourceMetadataUrl: 'https://gw.example/meta' });
    const answer = await send('POST');
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toEqual(['application/json']);
    expect(answer.headers['www-authenticate']).toEqual([
      'Bearer error="invalid_token", resource_metadata="https://gw.example/meta", scope="tools.use", ' +
        'error_description="The access token has expired."',
    ]);
    expect(JSON.parse(answer.text)).toMatchObject({ id: 7, error: { data: { reason: 'token_expired' } } });
  });

  it.each<[string, number, Decision, Partial<ResponseContext>]>([
    ['of policy as 200', 200, deny('tool_not_granted'), {}],
    ['of policy as 403', 403, deny('tool_not_granted'), { refusalStatus: 403 }],
    ['of the method as 405', 405, deny('http_method_not_allowed'), {}],
    ['of a body as 413', 413, deny('body_too_large'), {}],
    ['for a fault as 500', 500, deny('internal_error'), {}],
    ['of a forged Allow as 500', 500, { ...allowed('stolen') } as Decision, {}],
  ])('arrives %s', async (_what, status, decision, change) => {
    answerWith(() => decision, change);
    const answer = await send('POST', ['authorization', 'Bearer mine']);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.code).toBeLessThan(0);
    expect(answer.headers['content-type']).toEqual(['application/json']);
  });

  it('answers a preflight without asking the server', async () => {
    answerWith((request) => {
      const answered = answerPreflight(request, ['https://app.example']);
      return answered.ok ? answered.value : answered.error;
    });
    const ask = ['access-control-request-method', 'POST'];
    const answer = await send('OPTIONS', ['origin', 'https://app.example', ...ask]);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers['access-control-allow-origin']).toEqual(['https://app.example']);
    expect((await send('OPTIONS', ['origin', 'https://evil.example', ...ask])).status).toBe(403);
  });
});

it('read and wrote every message of this file as proto-loader does', () => {
  expect(exchanged.length).toBeGreaterThan(15);
  for (const { request, response } of exchanged) {
    expect(readCheckRequest(request)).toEqual(referenceFields(request));
    expect(encodeCheckResponse(response).equals(referenceResponseBytes(response))).toBe(true);
  }
});
