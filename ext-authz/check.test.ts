// Unit tests of check.ts and pipeline.ts: every way a step can fail ends in a refusal with its reason. The parts are
// our own ports, so they are played here; the real ones are tried in test/integration and test/e2e.
import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { Identity } from '#core/identity.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import { err, ok } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { type CheckParts, check as judge } from '#ext-authz/check.ts';
import { checkRequestBytes } from '#test/support/check-codec.ts';
import { SESSIONS } from '#test/support/session-world.ts';

const NOW_MS = 1_800_000_000_000;

const server: McpServer = {
  id: 'files',
  displayName: 'Files',
  enabled: true,
  allowedHosts: ['127.0.0.1'],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [],
  constraints: [],
  refusalStatus: 200,
  maxBodyBytes: 1000,
  activeVersion: '1.0.0',
  versions: [
    {
      version: '1.0.0',
      endpoints: ['http://127.0.0.1:1/mcp'],
      transport: 'streamable-http',
      protocolVersions: ['2026-07-28'],
      tools: [],
    },
  ],
};

const tenant: Tenant = {
  id: 'acme',
  displayName: 'Acme',
  accessContact: 'ada@acme.example',
  allowedOrigins: ['https://app.acme.example'],
  fourEyes: false,
  revision: 1,
  issuers: [],
  servers: [server],
  grants: [],
  publishers: [],
  killSwitches: [],
};

const identity = {
  principal: '["i","s"]',
  kind: 'user',
  issuerId: 'i',
  relation: 'home',
  subject: 's',
  issuedAt: 0,
} as Identity;

const partsWith = (change: Partial<CheckParts> = {}, inTenant: Partial<Tenant> = {}): CheckParts => ({
  world: () => ({ snapshot: { sequence: 5, tenants: [{ ...tenant, ...inTenant }] }, freshAtMs: NOW_MS }),
  revocations: createRevocationBook(),
  authenticator: { authenticate: async () => ok({ identity, token: new Secret('token-of-the-caller') }) },
  policy: {
    judge: ({ call }) => ({
      ...ok({
        obligations: {},
        explain: [],
        lists: call.list === undefined ? [] : [{ kind: call.list, visible: { all: false, names: ['read'] } }],
      }),
      revision: 'test@1',
    }),
  },
  broker: {
    acquire: async () => ok({ token: new Secret('upstream'), source: 'exchange' }),
    purge: async () => {},
  },
  askApproval: async () => err('nobody is asked'),
  sessions: SESSIONS,
  sink: { record: async () => {}, tell: () => {} },
  recordDeadlineMs: 1_000,
  publicUrl: 'https://gw.example.com',
  deadlineMs: 1_000,
  nowMs: () => NOW_MS,
  monotonicMs: () => 0,
  ...change,
});

const message = (
  change: {
    path?: string;
    method?: string;
    rpc?: string;
    headers?: Record<string, string>;
    context?: object;
  } = {},
): Buffer => {
  const method = change.rpc ?? 'ping';
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 'c1', method, params: {} }));
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'x-request-id': 'req-1',
    ...change.headers,
  };
  const lines = Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value) }));
  return checkRequestBytes({
    attributes: {
      request: {
        http: {
          method: change.method ?? 'POST',
          path: change.path ?? '/t/acme/mcp/files',
          header_map: { headers: lines },
          raw_body: (change.method ?? 'POST') === 'POST' ? body : Buffer.alloc(0),
        },
      },
      context_extensions: change.context ?? { tenant: 'acme', server: 'files' },
    },
  });
};

/** The answer with both of its forms to look at; only one is ever there. */
const check = async (parts: CheckParts, sent: Buffer) => {
  const response = await judge(parts, sent);
  const granted = 'ok_response' in response ? response.ok_response : undefined;
  const denied = 'denied_response' in response ? response.denied_response : undefined;
  return { response, code: response.status.code, granted, denied };
};

const reasonOf = async (parts: CheckParts, sent = message()): Promise<string> => {
  const response = await check(parts, sent);
  if (response.code === 0) return 'allowed';
  const body = JSON.parse(response.denied?.body ?? '{}') as { error: { data: { reason: string } } };
  return body.error.data.reason;
};

it('hands on the level a policy ordered for the line of its decision', async () => {
  const levels: (string | undefined)[] = [];
  const sink: CheckParts['sink'] = {
    record: async () => {},
    tell: (_decision, _event, level) => levels.push(level),
  };
  const judge = (logLevel?: 'warn') => () => ({
    ...ok({ obligations: { ...(logLevel && { logLevel }) }, explain: [], lists: [] }),
    revision: 'r',
  });
  const ordering = (logLevel?: 'warn') => partsWith({ sink, policy: { judge: judge(logLevel) } });
  await check(ordering('warn'), message());
  await check(ordering(), message());
  expect(levels).toEqual(['warn', undefined]);
});

it('tells the response guard what a policy ordered of the answer', async () => {
  const ordering = (obligations: Obligations) =>
    partsWith({
      policy: { judge: () => ({ ...ok({ obligations, explain: [], lists: [] }), revision: 'r' }) },
    });
  const ordered = async (obligations: Obligations): Promise<string> =>
    JSON.stringify((await check(ordering(obligations), message())).response);
  const capped = await ordered({ redact: ['/mail'], maxResponseBytes: 4096 });
  expect(capped).toContain('"guard":"rules"');
  expect(capped).toContain('"maxResponseBytes":4096');
  // The answer to a ping has no structured content.
  expect(capped).not.toContain('/mail');
  expect(await ordered({})).toContain('"guard":"off"');
});

describe('check()', () => {
  it('allows what every step let pass, with the upstream token in place of the caller’s', async () => {
    const response = await check(partsWith(), message());
    expect(response.code).toBe(0);
    const headers = Object.fromEntries(
      (response.granted?.headers ?? []).map(({ header }) => [header.key, header.value]),
    );
    expect(headers).toMatchObject({ authorization: 'Bearer upstream', 'x-mcpgw-version': '1.0.0' });
    expect(JSON.stringify(response.response)).not.toContain('token-of-the-caller');
  });

  it('answers a refusal with the id of the message and whom to ask', async () => {
    const parts = partsWith({
      policy: { judge: () => ({ ...err(deny('tool_not_granted')), revision: 'test@1' }) },
    });
    const body = JSON.parse((await check(parts, message())).denied?.body ?? '{}');
    expect(body).toMatchObject({
      id: 'c1',
      error: { data: { reason: 'tool_not_granted', contact: 'ada@acme.example', requestId: 'req-1' } },
    });
  });

  const throwing = (thrown: unknown) => (): never => {
    throw thrown;
  };

  it.each<[string, string, CheckParts, Buffer?]>([
    [
      'the policy cannot judge',
      'policy_failed',
      partsWith({ policy: { judge: () => ({ ...err(deny('policy_failed')), revision: '' }) } }),
    ],
    ['the policy throws', 'internal_error', partsWith({ policy: { judge: throwing('opa_abort') } })],
    [
      'a list comes without the names it may show',
      'internal_error',
      partsWith({
        policy: { judge: () => ({ ...ok({ obligations: {}, explain: [], lists: [] }), revision: '' }) },
      }),
      message({ rpc: 'tools/list' }),
    ],
    [
      'the identity cannot be judged',
      'internal_error',
      partsWith({ authenticator: { authenticate: throwing(new Error('x')) } }),
    ],
    [
      'keys cannot be had',
      'keys_unavailable',
      partsWith({ authenticator: { authenticate: async () => err(deny('keys_unavailable')) } }),
    ],
    [
      'the exchange is refused',
      'consent_required',
      partsWith({ broker: { acquire: async () => err(deny('consent_required')), purge: async () => {} } }),
    ],
    [
      'the exchange never ends',
      'deadline_exceeded',
      partsWith({ deadlineMs: 20, broker: { acquire: () => new Promise(() => {}), purge: async () => {} } }),
    ],
    [
      'the decision cannot be recorded',
      'audit_unavailable',
      partsWith({
        sink: { record: throwing(new GatewayError('store_failed', 'disk full')), tell: () => {} },
      }),
    ],
    [
      'there is no snapshot',
      'snapshot_unavailable',
      partsWith({ world: () => ({ snapshot: { sequence: 0, tenants: [] }, freshAtMs: 0 }) }),
    ],
    [
      'the snapshot is older than the tenant bears',
      'snapshot_stale',
      partsWith({
        world: () => ({
          snapshot: { sequence: 5, tenants: [{ ...tenant, maxStaleSeconds: 10 }] },
          freshAtMs: NOW_MS - 11_000,
        }),
      }),
    ],
    [
      'the server is switched off',
      'server_disabled',
      partsWith({}, { servers: [{ ...server, enabled: false }] }),
    ],
    [
      'the active version is not there',
      'version_unavailable',
      partsWith({}, { servers: [{ ...server, activeVersion: '2.0.0' }] }),
    ],
    [
      'the route names another server than the path',
      'endpoint_unknown',
      partsWith(),
      message({ context: { tenant: 'acme', server: 'other' } }),
    ],
    ['the route names no tenant', 'endpoint_unknown', partsWith(), message({ context: {} })],
    ['the path names a server of nobody', 'endpoint_unknown', partsWith({}, { servers: [] })],
    ['the check holds no request', 'internal_error', partsWith(), Buffer.alloc(0)],
    ['the check is no protobuf', 'internal_error', partsWith(), message().subarray(1)],
    [
      'the web origin is foreign',
      'origin_forbidden',
      partsWith(),
      message({ headers: { origin: 'https://evil.example' } }),
    ],
  ])('refuses when %s', async (_name, reason, parts, sent = message()) => {
    expect(await reasonOf(parts, sent)).toBe(reason);
  });

  it('tells a stranger of the switch: nobody should sign in to a server that is off', async () => {
    const parts = partsWith(
      { authenticator: { authenticate: async () => err(deny('token_missing')) } },
      { servers: [{ ...server, enabled: false }] },
    );
    expect(await reasonOf(parts)).toBe('server_disabled');
  });

  it('answers a preflight of an allowed origin without asking who is calling', async () => {
    const headers = { origin: 'https://app.acme.example', 'access-control-request-method': 'POST' };
    const parts = partsWith({ authenticator: { authenticate: throwing(new Error('asked')) } });
    const response = await check(parts, message({ method: 'OPTIONS', headers }));
    expect(response.code).not.toBe(0);
    expect(response.denied?.status.code).toBe(204);
  });

  it('lets an allowed origin read refusals too', async () => {
    const parts = partsWith({
      policy: { judge: () => ({ ...err(deny('tool_not_granted')), revision: '' }) },
    });
    const response = await check(parts, message({ headers: { origin: 'https://app.acme.example' } }));
    expect(JSON.stringify(response.denied?.headers)).toContain('https://app.acme.example');
  });

  it('answers metadata from configuration, and 404 for an endpoint that is not there', async () => {
    const context = { document: 'protected-resource-metadata' };
    const parts = partsWith(
      {},
      {
        issuers: [
          {
            id: 'idp',
            kind: 'oidc',
            issuer: 'https://idp.example.com',
            jwksUri: 'https://idp.example.com/keys',
            algorithms: ['RS256'],
            relation: 'home',
            directoryTenants: [],
            claims: { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' },
            clockToleranceSeconds: 5,
            enabled: true,
          },
        ],
        servers: [
          { ...server, bindings: [{ issuerId: 'idp', audiences: ['files'], requiredScopes: ['use'] }] },
        ],
      },
    );
    const ask = (name: string) =>
      check(
        parts,
        message({ method: 'GET', path: `/.well-known/oauth-protected-resource/t/acme/mcp/${name}`, context }),
      );
    const known = (await ask('files')).denied;
    expect(JSON.parse(known?.body ?? '')).toMatchObject({
      resource: 'https://gw.example.com/t/acme/mcp/files',
      authorization_servers: ['https://idp.example.com'],
      scopes_supported: ['use'],
    });
    expect((await ask('nothing')).denied?.status.code).toBe(404);
  });
});
