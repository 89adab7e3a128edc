// Unit tests of switches.ts and of where pipeline.ts asks it, and of revocations and drifting tools, which are asked there
// too. The parts around them are our own ports, played here.

import { describe, expect, it } from 'vitest';
import type { Decision } from '#core/decision.ts';
import { deny } from '#core/decision.ts';
import { NO_DRIFT, withDrift } from '#core/drift-book.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { KillSwitch, SwitchTarget } from '#core/kill-switch.ts';
import type { McpListKind } from '#core/mcp-call.ts';
import { err, ok } from '#core/result.ts';
import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { Secret } from '#core/secret.ts';
import type { Tenant } from '#core/tenant.ts';
import { decide } from '#ext-authz/pipeline.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { startTrail } from '#ext-authz/trail.ts';
import { type HeaderChanges, httpRequest, legacyPost, statelessPost } from '#test/support/http-requests.ts';
import { ALICE, NOW_MS, SERVER, tenant, VERSION } from '#test/support/policy-world.ts';
import { everySession } from '#test/support/session-world.ts';

const at = (ms: number): string => new Date(ms).toISOString();

const thrown = (target: SwitchTarget, change: Partial<KillSwitch> = {}): KillSwitch => ({
  id: 'emergency',
  target,
  ...change,
});

const ALL_LISTS: readonly McpListKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

const listsOf = (kinds: readonly McpListKind[]): readonly ListOrder[] =>
  kinds.map((kind) => ({ kind, visible: { all: false, names: ['create_issue', 'purge'] } }));

type World = {
  readonly tenant: Tenant;
  /** What had been asked for before the refusal. */
  readonly asked: string[];
  readonly parts: PipelineParts;
};

const worldWith = (switches: readonly KillSwitch[], change: Partial<PipelineParts> = {}): World => {
  const asked: string[] = [];
  const acme: Tenant = { ...tenant([]), killSwitches: switches };
  const parts: PipelineParts = {
    world: () => ({ snapshot: { sequence: 5, tenants: [acme] }, freshAtMs: NOW_MS }),
    revocations: createRevocationBook(),
    authenticator: {
      authenticate: async () => {
        asked.push('identity');
        return ok({ identity: ALICE, token: new Secret('caller') });
      },
    },
    policy: {
      judge: ({ call }) => {
        asked.push('policy');
        const kinds = call.kind === 'stream' ? ALL_LISTS : call.list === undefined ? [] : [call.list];
        return { ...ok({ obligations: {}, explain: [], lists: listsOf(kinds) }), revision: 'test@1' };
      },
    },
    askApproval: async () => err('nobody is asked'),
    sessions: everySession(VERSION.version),
    publicUrl: 'https://gw.example',
    broker: {
      acquire: async () => {
        asked.push('token');
        return ok({ token: null, source: 'none' as const });
      },
      purge: async () => {},
    },
    nowMs: () => NOW_MS,
    ...change,
  };
  return { tenant: acme, asked, parts };
};

const judge = (world: World, request: HttpRequest): Promise<Decision> =>
  decide(world.parts, request, { trail: startTrail(() => 0), signal: new AbortController().signal });

const reasonOf = (decision: Decision): string => (decision.kind === 'deny' ? decision.reason : decision.kind);

const toolCall = { method: 'tools/call', params: { name: 'purge', arguments: {} } };
const legacy = (method: string, params: object = {}, more: object = { id: 1 }) =>
  legacyPost({ jsonrpc: '2.0', method, params, ...more });
const bodyless = (method: 'GET' | 'DELETE', headers: HeaderChanges = {}) =>
  httpRequest(method, { accept: 'text/event-stream', 'mcp-session-id': 's', ...headers });

/** Every kind of request there is, in both eras. */
const REQUESTS: readonly [string, HttpRequest][] = [
  ['a stateless call', statelessPost(toolCall)],
  ['a stateless list', statelessPost({ method: 'tools/list' })],
  ['a stateless resource', statelessPost({ method: 'resources/read', params: { uri: 'file:///a' } })],
  ['a stateless discovery', statelessPost({ method: 'server/discover' })],
  [
    'a stateless subscription',
    statelessPost({ method: 'subscriptions/listen', params: { notifications: {} } }),
  ],
  ['a stateless notification', statelessPost({ method: 'notifications/cancelled', id: undefined })],
  ['a legacy handshake', legacy('initialize', { protocolVersion: '2025-11-25' })],
  ['a legacy call', legacy('tools/call', { name: 'purge' })],
  ['a legacy prompt', legacy('prompts/get', { name: 'p' })],
  ['a legacy list', legacy('tools/list')],
  ['a legacy notification', legacy('notifications/initialized', {}, {})],
  ['a legacy answer', legacyPost({ jsonrpc: '2.0', id: 1, result: {} })],
  ['a stream', bodyless('GET')],
  ['the end of a session', bodyless('DELETE')],
];

const WIDE: readonly [SwitchTarget, string, readonly string[]][] = [
  [{ kind: 'tenant' }, 'tenant_disabled', []],
  [{ kind: 'server', serverId: 'tracker' }, 'server_disabled', []],
  [{ kind: 'principal', principal: 'alice' }, 'caller_blocked', ['identity']],
  [{ kind: 'principal', id: 'oid-alice', issuerId: 'contoso' }, 'caller_blocked', ['identity']],
  [{ kind: 'application', clientId: 'app-cli' }, 'application_blocked', ['identity']],
];

describe.each(WIDE)('the switch on %o', (target, reason, askedBefore) => {
  it.each(REQUESTS)('refuses %s', async (_name, request) => {
    const world = worldWith([thrown(target)]);
    expect(reasonOf(await judge(world, request))).toBe(reason);
    expect(world.asked).toEqual(askedBefore);
  });

  it('lets all of it through once it has lapsed', async () => {
    const world = worldWith([thrown(target, { until: at(NOW_MS) })]);
    for (const [name, request] of REQUESTS) expect(reasonOf(await judge(world, request)), name).toBe('allow');
  });

  it('is named in the log, with its end', async () => {
    const until = at(NOW_MS + 60_000);
    const decision = await judge(worldWith([thrown(target, { until })]), statelessPost(toolCall));
    expect(decision).toMatchObject({ logFacts: { killSwitch: 'emergency', until } });
  });
});

describe('a switch on the place', () => {
  it('speaks before a stranger is asked for a token, with the id of the message', async () => {
    const authenticator = { authenticate: async () => err(deny('token_missing')) };
    const trail = startTrail(() => 0);
    const world = worldWith([thrown({ kind: 'tenant' })], { authenticator });
    const signal = new AbortController().signal;
    const decision = await decide(world.parts, statelessPost(toolCall), { trail, signal });
    expect(reasonOf(decision)).toBe('tenant_disabled');
    expect(trail.findings).toMatchObject({ id: 7, call: { method: 'tools/call' } });
  });

  it('reads no long body of anybody', async () => {
    const long = httpRequest(
      'POST',
      { 'content-type': 'application/json', accept: '*/*' },
      '{'.repeat(70_000),
    );
    const world = worldWith([thrown({ kind: 'server', serverId: 'tracker' })]);
    expect(reasonOf(await judge(world, long))).toBe('server_disabled');
    expect(world.asked).toEqual([]);
  });

  it('says when to come back if it ends by itself; the one that holds longest counts', async () => {
    const server: SwitchTarget = { kind: 'server', serverId: 'tracker' };
    const switches = [
      thrown(server, { id: 'a', until: at(NOW_MS + 60_000) }),
      thrown(server, { id: 'b', until: at(NOW_MS + 90_000) }),
    ];
    const timed = await judge(worldWith(switches), statelessPost(toolCall));
    expect(timed).toMatchObject({ publicFacts: { retryAfterSeconds: 90 }, logFacts: { killSwitch: 'b' } });
    const open = await judge(worldWith([...switches, thrown(server, { id: 'c' })]), statelessPost(toolCall));
    expect(open).toMatchObject({ publicFacts: {}, logFacts: { killSwitch: 'c' } });
  });

  it('is told before one on the caller, and that of the tenant before that of the server', async () => {
    const switches = [
      thrown({ kind: 'principal', principal: 'alice' }, { id: 'a' }),
      thrown({ kind: 'server', serverId: 'tracker' }, { id: 'b' }),
      thrown({ kind: 'tenant' }, { id: 'c' }),
    ];
    expect(reasonOf(await judge(worldWith(switches), statelessPost(toolCall)))).toBe('tenant_disabled');
    expect(reasonOf(await judge(worldWith(switches.slice(0, 2)), statelessPost(toolCall)))).toBe(
      'server_disabled',
    );
  });

  it('does nothing for another server', async () => {
    const world = worldWith([thrown({ kind: 'server', serverId: 'reports' })]);
    expect(reasonOf(await judge(world, statelessPost(toolCall)))).toBe('allow');
  });
});

describe('a switch on a caller', () => {
  it('does not tell how long it holds', async () => {
    const switches = [thrown({ kind: 'principal', principal: 'alice' }, { until: at(NOW_MS + 60_000) })];
    expect(await judge(worldWith(switches), statelessPost(toolCall))).toMatchObject({ publicFacts: {} });
  });

  it.each<[string, SwitchTarget]>([
    ['person', { kind: 'principal', principal: 'bob' }],
    ['application', { kind: 'application', clientId: 'app-web' }],
    ['issuer', { kind: 'principal', id: 'oid-alice', issuerId: 'fabrikam' }],
  ])('leaves another %s alone', async (_name, target) => {
    expect(reasonOf(await judge(worldWith([thrown(target)]), statelessPost(toolCall)))).toBe('allow');
  });
});

describe('a switch on a tool', () => {
  const PURGE = thrown({ kind: 'tool', serverId: 'tracker', tool: 'purge' });

  it.each([
    ['stateless', statelessPost(toolCall)],
    ['legacy', legacy('tools/call', { name: 'purge' })],
  ])('refuses its %s calls before a token is fetched for them', async (_era, request) => {
    const world = worldWith([PURGE]);
    expect(reasonOf(await judge(world, request))).toBe('tool_disabled');
    expect(world.asked).toEqual(['identity', 'policy']);
  });

  it('reads to a caller without the tool like a tool that is not there', async () => {
    const policy = { judge: () => ({ ...err(deny('tool_not_granted')), revision: '' }) };
    expect(reasonOf(await judge(worldWith([PURGE], { policy }), statelessPost(toolCall)))).toBe(
      'tool_not_granted',
    );
  });

  it.each([
    ['another tool', statelessPost({ method: 'tools/call', params: { name: 'create_issue' } })],
    ['a prompt of its name', legacy('prompts/get', { name: 'purge' })],
    ['a new stream', bodyless('GET')],
    ['the end of a session', bodyless('DELETE')],
  ])('lets %s through', async (_name, request) => {
    expect(reasonOf(await judge(worldWith([PURGE]), request))).toBe('allow');
  });

  it('refuses to resume a stream of its server, which may bring the rest of its answer', async () => {
    const resumed = bodyless('GET', { 'last-event-id': 'e-41' });
    expect(reasonOf(await judge(worldWith([PURGE]), resumed))).toBe('tool_disabled');
    expect(reasonOf(await judge(worldWith([]), resumed))).toBe('allow');
  });

  const namesIn = async (request: HttpRequest, kind: McpListKind, world = worldWith([PURGE])) => {
    const decision = await judge(world, request);
    if (decision.kind !== 'allow') throw new Error(reasonOf(decision));
    return decision.orders.lists.find((list) => list.kind === kind)?.visible;
  };

  it.each([
    ['a stateless list', statelessPost({ method: 'tools/list' })],
    ['a legacy list', legacy('tools/list')],
    ['a stream', bodyless('GET')],
  ])('is not shown in %s', async (_name, request) => {
    expect(await namesIn(request, 'tools')).toEqual({ all: false, names: ['create_issue'] });
  });

  it('hides nothing from lists of other things', async () => {
    const visible = await namesIn(bodyless('GET'), 'prompts');
    expect(visible).toEqual({ all: false, names: ['create_issue', 'purge'] });
  });

  it('is hidden also where the policy shows whatever there is', async () => {
    const lists: readonly ListOrder[] = [{ kind: 'tools', visible: { all: true } }];
    const policy = { judge: () => ({ ...ok({ obligations: {}, explain: [], lists }), revision: '' }) };
    const visible = await namesIn(
      statelessPost({ method: 'tools/list' }),
      'tools',
      worldWith([PURGE], { policy }),
    );
    const rest = VERSION.tools.map(({ name }) => name).filter((name) => name !== 'purge');
    expect(visible).toEqual({ all: false, names: rest });
  });
});

describe('the orders of an allowed call', () => {
  it('say everything a switch could mean it by later', async () => {
    const decision = await judge(worldWith([]), bodyless('GET', { 'last-event-id': 'e-41' }));
    expect(decision).toMatchObject({
      kind: 'allow',
      orders: {
        principal: 'alice',
        caller: { issuerId: 'contoso', ids: ['oid-alice', 'pairwise-alice'], applications: ['app-cli'] },
        resumes: true,
      },
    });
  });
});

describe('a switch thrown while others are waited for', () => {
  const CASES: readonly [string, SwitchTarget, string][] = [
    ['tenant', { kind: 'tenant' }, 'tenant_disabled'],
    ['caller', { kind: 'principal', principal: 'alice' }, 'caller_blocked'],
    ['tool', { kind: 'tool', serverId: 'tracker', tool: 'purge' }, 'tool_disabled'],
  ];

  it.each(CASES)('counts for the call that waits: %s', async (_name, target, reason) => {
    let switches: readonly KillSwitch[] = [];
    const world = () => ({
      snapshot: { sequence: 5, tenants: [{ ...tenant([]), killSwitches: switches }] },
      freshAtMs: NOW_MS,
    });
    const broker: PipelineParts['broker'] = {
      acquire: async () => {
        switches = [thrown(target)];
        return ok({ token: new Secret('upstream'), source: 'exchange' });
      },
      purge: async () => {},
    };
    expect(reasonOf(await judge(worldWith([], { world, broker }), statelessPost(toolCall)))).toBe(reason);
  });

  it('counts also where it is the flag of the server', async () => {
    let enabled = true;
    const world = () => ({
      snapshot: { sequence: 5, tenants: [tenant([], { ...SERVER, enabled })] },
      freshAtMs: NOW_MS,
    });
    const authenticator: PipelineParts['authenticator'] = {
      authenticate: async () => {
        enabled = false;
        return ok({ identity: ALICE, token: new Secret('caller') });
      },
    };
    const found = await judge(worldWith([], { world, authenticator }), statelessPost(toolCall));
    expect(reasonOf(found)).toBe('server_disabled');
  });
});

describe('a revocation', () => {
  const NOW = Math.floor(NOW_MS / 1000);
  const MARK: Revocation = {
    id: 'mark-1',
    tenantId: tenant([]).id,
    target: { kind: 'directory-user', tid: 'tid-contoso', oid: 'oid-alice' },
    notBefore: NOW,
    source: 'operator',
    reason: 'laptop stolen',
    at: at(NOW_MS),
    until: NOW + 86_400,
  };
  const marked = (): PipelineParts['revocations'] => {
    const book = createRevocationBook();
    book.take(MARK, NOW);
    return book;
  };
  /** Alice with a token from after the mark. */
  const anew: PipelineParts['authenticator'] = {
    authenticate: async () => ok({ identity: { ...ALICE, issuedAt: NOW }, token: new Secret('caller') }),
  };

  it.each(REQUESTS)('refuses %s of a token from before it, and asks nobody more', async (_name, request) => {
    const world = worldWith([], { revocations: marked() });
    expect(reasonOf(await judge(world, request))).toBe('token_revoked');
    expect(world.asked).toEqual(['identity']);
  });

  it('counts for the call that waits for a token', async () => {
    const revocations = createRevocationBook();
    const broker: PipelineParts['broker'] = {
      acquire: async () => {
        revocations.take(MARK, NOW);
        return ok({ token: new Secret('upstream'), source: 'exchange' });
      },
      purge: async () => {},
    };
    const found = await judge(worldWith([], { revocations, broker }), statelessPost(toolCall));
    expect(reasonOf(found)).toBe('token_revoked');
  });

  it('ends sessions from before it for whoever has signed in anew, and nothing else of his', async () => {
    const world = worldWith([], { revocations: marked(), authenticator: anew });
    expect(reasonOf(await judge(world, statelessPost(toolCall)))).toBe('allow');
    const inSession = legacyPost(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'purge' } },
      { 'mcp-session-id': 's' },
    );
    expect(reasonOf(await judge(world, inSession))).toBe('session_unknown');
    const before = worldWith([], { authenticator: anew });
    expect(reasonOf(await judge(before, inSession))).toBe('allow');
  });

  it('refuses every call of a tenant that bears no old ones, once the registry is away for too long', async () => {
    const world = () => ({
      snapshot: { sequence: 5, tenants: [{ ...tenant([]), maxRevocationStaleSeconds: 60 }] },
      freshAtMs: NOW_MS - 61_000,
    });
    const found = await judge(worldWith([], { world }), statelessPost(toolCall));
    expect(reasonOf(found)).toBe('revocations_stale');
  });
});

describe('a tool that drifts', () => {
  const drift = withDrift(NO_DRIFT, {
    tenantId: tenant([]).id,
    serverId: SERVER.id,
    tools: [{ version: VERSION.version, tool: 'purge', since: at(NOW_MS) }],
  });
  const drifting = (change: Partial<PipelineParts> = {}): World => {
    const tenants = [tenant([])];
    return worldWith([], {
      world: () => ({ snapshot: { sequence: 5, tenants }, freshAtMs: NOW_MS, drift }),
      ...change,
    });
  };

  it.each([
    ['stateless', statelessPost(toolCall)],
    ['legacy', legacy('tools/call', { name: 'purge' })],
  ])('refuses its %s calls before a token is fetched for them', async (_era, request) => {
    const world = drifting();
    expect(reasonOf(await judge(world, request))).toBe('tool_drifted');
    expect(world.asked).toEqual(['identity', 'policy']);
  });

  it('reads to a caller without the tool like a tool that is not there', async () => {
    const policy = { judge: () => ({ ...err(deny('tool_not_granted')), revision: '' }) };
    expect(reasonOf(await judge(drifting({ policy }), statelessPost(toolCall)))).toBe('tool_not_granted');
  });

  it('is refused where it began to while a token was waited for', async () => {
    const quiet = worldWith([]);
    let isKnown = false;
    const world = drifting({
      world: () => ({ ...quiet.parts.world(), ...(isKnown ? { drift } : {}) }),
      broker: {
        acquire: async () => {
          isKnown = true;
          return ok({ token: null, source: 'none' as const });
        },
        purge: async () => {},
      },
    });
    expect(reasonOf(await judge(world, statelessPost(toolCall)))).toBe('tool_drifted');
  });

  it('lets all else through', async () => {
    for (const request of [
      statelessPost({ method: 'tools/call', params: { name: 'create_issue' } }),
      statelessPost({ method: 'tools/list' }),
      bodyless('GET'),
    ])
      expect(reasonOf(await judge(drifting(), request))).toBe('allow');
  });

  it.each([
    ['hide', ['create_issue']],
    ['pinned', ['create_issue', 'purge']],
    ['report', ['create_issue', 'purge']],
  ] as const)('is shown, where its mode is %s, as calls to it go', async (mode, names) => {
    const tenants = [{ ...tenant([]), responseGuard: { drift: mode } }];
    const world = drifting({
      world: () => ({ snapshot: { sequence: 5, tenants }, freshAtMs: NOW_MS, drift }),
    });
    const decision = await judge(world, statelessPost({ method: 'tools/list' }));
    const visible = decision.kind === 'allow' ? decision.orders.lists[0]?.visible : undefined;
    expect(visible).toEqual({ all: false, names });
  });
});
