// Unit and property tests of check-response.ts: only a genuine Allow opens, and the wire traps of Envoy's ext_authz
// (a missing status, ignored raw values, remove before set) are not stepped into. Messages go through the real codec.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Allow, type AllowFacts, allow, type Decision, deny, isAllow } from '#core/decision.ts';
import { type GuardOrders, guardOrdersToJson } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import { REASONS, type Reason } from '#core/reason.ts';
import { Secret } from '#core/secret.ts';
import { checkResponseFromDecision, type ResponseContext } from '#ext-authz/response/check-response.ts';
import { corsHeaders } from '#ext-authz/response/cors.ts';
import { encodeCheckResponse } from '#ext-authz/response/encode-check-response.ts';
import { checkResponseFrom, jsonFromStruct, type WireStruct } from '#test/support/check-codec.ts';

type Header = { header: { key: string; value: string; raw_value: Buffer }; append_action: string };
type Wire = {
  status: { code: number } | null;
  http_response?: 'ok_response' | 'denied_response';
  ok_response?: { headers: Header[]; headers_to_remove: string[]; response_headers_to_add: Header[] };
  denied_response?: { status: { code: string }; headers: Header[]; body: string };
  dynamic_metadata: WireStruct;
};

const orders: GuardOrders = {
  guard: 'list',
  tenantId: 'default',
  serverId: 'tracker',
  version: '1.2.0',
  principal: '["i","s"]',
  era: 'stateless',
  requestId: 'r-1',
  sequence: 12,
  method: 'tools/list',
  jsonRpcId: 7,
  lists: [{ kind: 'tools', visible: { all: false, names: ['a', 'ü'] } }],
};
const allowed = (change: Partial<AllowFacts> = {}): Allow =>
  allow({ identity: {} as Identity, version: '1.2.0', upstreamToken: null, orders, ...change });

const context: ResponseContext = {
  id: 7,
  requestId: 'r-1',
  resourceMetadataUrl: 'https://gw.example/.well-known/oauth-protected-resource/mcp/tracker',
  scopes: ['api://tracker/tools.use'],
  refusalStatus: 200,
  contact: 'ada@contoso.example',
};

const wire = (decision: Decision, change: Partial<ResponseContext> = {}): Wire =>
  checkResponseFrom(
    encodeCheckResponse(checkResponseFromDecision(decision, { ...context, ...change })),
  ) as Wire;

const headersOf = (headers: readonly Header[] = []): Record<string, string> =>
  Object.fromEntries(headers.map(({ header }) => [header.key, header.value]));

const reasons = Object.keys(REASONS) as Reason[];

describe('an Allow', () => {
  it('routes to the judged version and hands the orders to the response guard', () => {
    const message = wire(allowed());
    expect(message.status?.code).toBe(0);
    expect(message.http_response).toBe('ok_response');
    expect(headersOf(message.ok_response?.headers)).toEqual({ 'x-mcpgw-version': '1.2.0' });
    expect(jsonFromStruct(message.dynamic_metadata)).toEqual(guardOrdersToJson(orders));
  });

  it('tells Envoy the way of the call beside its version, and nothing that is not known', () => {
    const steering = { host: '10.0.0.1:443', hash: 'digest', retry: 'safe' } as const;
    expect(headersOf(wire(allowed({ steering })).ok_response?.headers)).toEqual({
      'x-mcpgw-version': '1.2.0',
      'x-mcpgw-host': '10.0.0.1:443',
      'x-mcpgw-hash': 'digest',
      'x-mcpgw-retry': 'safe',
    });
    const some = wire(allowed({ steering: { hash: 'digest' } })).ok_response?.headers;
    expect(headersOf(some)).toEqual({ 'x-mcpgw-version': '1.2.0', 'x-mcpgw-hash': 'digest' });
  });

  it('replaces the token of the caller, and does not remove it in the same answer', () => {
    const { ok_response: answer } = wire(allowed({ upstreamToken: new Secret('up.stream.token') }));
    expect(headersOf(answer?.headers)['authorization']).toBe('Bearer up.stream.token');
    expect(answer?.headers_to_remove).not.toContain('authorization');
    for (const { header, append_action } of answer?.headers ?? []) {
      expect(header.raw_value.length).toBe(0);
      expect(append_action).toBe('OVERWRITE_IF_EXISTS_OR_ADD');
    }
  });

  it('sends a secret in the server’s own header, as it is, and removes the token of the caller', () => {
    const upstreamToken = new Secret('key-1');
    const { ok_response: answer } = wire(allowed({ upstreamToken, upstreamHeader: 'x-api-key' }));
    expect(headersOf(answer?.headers)).toMatchObject({ 'x-api-key': 'key-1' });
    expect(headersOf(answer?.headers)).not.toHaveProperty('authorization');
    expect(answer?.headers_to_remove).toContain('authorization');
    expect(answer?.headers_to_remove).not.toContain('x-api-key');
  });

  it.each(['cookie', 'x-mcpgw-token', 'x-forwarded-access-token', 'X-Api-Key', 'a: b\r\nx-key'])(
    'becomes a refusal with a secret in %j, a header of somebody else',
    (upstreamHeader) => {
      expect(wire(allowed({ upstreamToken: new Secret('t'), upstreamHeader })).status?.code).toBe(13);
    },
  );

  it('removes the token of the caller where the server gets none', () => {
    const { ok_response: answer } = wire(allowed());
    expect(answer?.headers_to_remove).toContain('authorization');
    expect(headersOf(answer?.headers)).not.toHaveProperty('authorization');
  });

  it('lets no other credential or claimed name of the caller through, nor a header that overrides the path', () => {
    for (const upstreamToken of [null, new Secret('t')]) {
      const removed = wire(allowed({ upstreamToken })).ok_response?.headers_to_remove;
      expect(removed).toEqual(
        expect.arrayContaining(['cookie', 'proxy-authorization', 'dpop', 'x-forwarded-user']),
      );
      expect(removed).toEqual(
        expect.arrayContaining(['x-ms-client-principal-id', 'x-http-method-override', 'x-original-url']),
      );
    }
  });

  it('never sets and removes one header', () => {
    for (const upstreamToken of [null, new Secret('t')]) {
      const { ok_response: answer } = wire(allowed({ upstreamToken }));
      for (const name of Object.keys(headersOf(answer?.headers)))
        expect(answer?.headers_to_remove).not.toContain(name);
    }
  });

  it('adds CORS headers to the answer of the server, over its own', () => {
    const { ok_response: answer } = wire(allowed(), { cors: corsHeaders('https://app.example') });
    const added = answer?.response_headers_to_add ?? [];
    expect(headersOf(added)['access-control-allow-origin']).toBe('https://app.example');
    const actions = Object.fromEntries(added.map((option) => [option.header.key, option.append_action]));
    expect(actions['access-control-allow-origin']).toBe('OVERWRITE_IF_EXISTS_OR_ADD');
    expect(actions['vary']).toBe('APPEND_IF_EXISTS_OR_ADD');
  });

  it.each([
    ['a token with a line break', { upstreamToken: new Secret('a\r\nx-evil: 1') }],
    ['an empty token', { upstreamToken: new Secret('') }],
    ['a version with a line break', { version: '1\r\n2' }],
    ['an empty version', { version: '' }],
    ['a replica with a line break', { steering: { host: 'a\r\nx-evil: 1' } }],
  ])('becomes a refusal with %s', (_what, change) => {
    const message = wire(allowed(change));
    expect(message.status?.code).toBe(13);
    expect(JSON.parse(message.denied_response?.body ?? '')).toMatchObject({
      error: { data: { reason: 'internal_error' } },
    });
  });
});

describe('anything else', () => {
  it.each(reasons)('is refused with its own status: %s', (reason) => {
    const row = REASONS[reason];
    for (const refusalStatus of [200, 403] as const) {
      const message = wire(deny(reason, { public: { claims: 'e30=' } }), { refusalStatus });
      expect([7, 13, 16]).toContain(message.status?.code);
      expect(message.http_response).toBe('denied_response');
      expect(message.ok_response).toBeUndefined();
      const expected = row.delivery === 'refusal' ? refusalStatus : row.httpStatus;
      expect(statusNumber(message)).toBe(expected);
      expect(jsonFromStruct(message.dynamic_metadata)).toEqual({ guard: 'denied' });
      const headers = headersOf(message.denied_response?.headers);
      expect(headers['content-type']).toBe('application/json');
      expect(headers['cache-control']).toBe('no-store');
      expect(JSON.parse(message.denied_response?.body ?? '')).toMatchObject({
        jsonrpc: '2.0',
        id: 7,
        error: { code: row.jsonRpcCode, message: row.sentence, data: { requestId: 'r-1' } },
      });
    }
  });

  it('is refused when it only looks like an Allow', () => {
    const genuine = allowed();
    const forged = [
      { ...genuine },
      { kind: 'allow', version: '1', upstreamToken: null, orders },
      Object.create(genuine),
      new Proxy(genuine, {}),
      { kind: 'deny', reason: 'no_such_reason', publicFacts: {}, logFacts: {} },
      { kind: 'deny', reason: 'constructor', publicFacts: {}, logFacts: {} },
      { kind: 'maybe' },
      {},
    ] as Decision[];
    for (const decision of forged) {
      const message = wire(decision);
      expect(message.status?.code).toBe(13);
      expect(message.http_response).toBe('denied_response');
    }
  });

  it('has status code 0 exactly if core says it is an Allow', () => {
    const decision = fc.oneof(
      fc.constant(null).map(() => allowed()),
      fc.constantFrom(...reasons).map((reason) => deny(reason)),
      fc.record({
        kind: fc.constantFrom('allow', 'deny', 'answer', 'none'),
        reason: fc.constantFrom(...reasons, 'constructor'),
        status: fc.constantFrom(0, 200, 204, 404),
        version: fc.constant('1'),
        headers: fc.constant({}),
        publicFacts: fc.constant({}),
        body: fc.string(),
      }),
    ) as fc.Arbitrary<Decision>;
    fc.assert(
      fc.property(decision, (given) => {
        expect(wire(given).status?.code === 0).toBe(isAllow(given));
      }),
    );
  });

  it('passes on an answer of the gateway itself as it is, without letting the request through', () => {
    const message = wire({
      kind: 'answer',
      status: 204,
      headers: { vary: 'Origin', 'access-control-max-age': '600' },
      body: '',
    });
    expect(message.status?.code).toBe(7);
    expect(statusNumber(message)).toBe(204);
    expect(headersOf(message.denied_response?.headers)).toEqual({
      vary: 'Origin',
      'access-control-max-age': '600',
    });
  });
});

describe('a refusal', () => {
  const bodyOf = (message: Wire) => JSON.parse(message.denied_response?.body ?? '');
  const headers = (message: Wire) => headersOf(message.denied_response?.headers);

  it('tells the facts that are public, and none that is for the log', () => {
    const denial = deny('constraint_violated', {
      public: { constraint: 'no-critical', field: 'priority' },
      log: { secret: 'for the log' },
    });
    expect(bodyOf(wire(denial)).error.data).toEqual({
      reason: 'constraint_violated',
      remedy: 'ask-for-access',
      requestId: 'r-1',
      contact: 'ada@contoso.example',
      constraint: 'no-critical',
      field: 'priority',
    });
  });

  it('names nobody to ask to a stranger', () => {
    expect(bodyOf(wire(deny('origin_forbidden'))).error.data).not.toHaveProperty('contact');
  });

  it('names the versions the way MCP wants them', () => {
    const denial = deny('protocol_version_unsupported', {
      public: { supportedVersions: ['2026-07-28'], requestedVersion: '2099-01-01' },
    });
    expect(bodyOf(wire(denial)).error).toMatchObject({
      code: -32022,
      data: { supported: ['2026-07-28'], requested: '2099-01-01' },
    });
  });

  it('reads alike for a tool that does not exist and one that is not granted', () => {
    expect(wire(deny('tool_unknown', { log: { tool: 'x' } }))).toEqual(wire(deny('tool_not_granted')));
  });

  it('says when to come back', () => {
    const denial = deny('provider_throttled', { public: { retryAfterSeconds: 12.2 } });
    expect(headers(wire(denial))['retry-after']).toBe('13');
    expect(headers(wire(deny('provider_throttled')))).not.toHaveProperty('retry-after');
  });

  it('lists the methods there are', () => {
    expect(headers(wire(deny('http_method_not_allowed')))['allow']).toBe('GET, POST, DELETE, OPTIONS');
  });

  it('can be read by a page of an allowed origin', () => {
    const message = wire(deny('token_missing'), { cors: corsHeaders('https://app.example') });
    expect(headers(message)).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': expect.stringContaining('WWW-Authenticate'),
      vary: 'Origin',
    });
  });

  it('of a step-up that the client cannot answer is a 403 without challenge, which ends the loop', () => {
    const message = wire(deny('step_up_required'));
    expect(statusNumber(message)).toBe(403);
    expect(headers(message)).not.toHaveProperty('www-authenticate');
  });
});

const STATUS_NAMES: Readonly<Record<string, number>> = {
  ...{ OK: 200, NoContent: 204, BadRequest: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404 },
  ...{ MethodNotAllowed: 405, NotAcceptable: 406, PayloadTooLarge: 413, UnsupportedMediaType: 415 },
  ...{ UpgradeRequired: 426, TooManyRequests: 429, RequestHeaderFieldsTooLarge: 431 },
  ...{ InternalServerError: 500, BadGateway: 502, ServiceUnavailable: 503, GatewayTimeout: 504 },
};

function statusNumber(message: Wire): number | undefined {
  return STATUS_NAMES[message.denied_response?.status.code ?? ''];
}
