import { describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import { err, ok } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { describeChanges } from '#registry/commands/describe-changes.ts';
import { putGrant, removeGrant } from '#registry/commands/grant.ts';
import { putIssuer, removeIssuer } from '#registry/commands/issuer.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { putServer, removeServer, type ServerSettings, setServerState } from '#registry/commands/server.ts';
import { activateVersion, publishVersion } from '#registry/commands/server-version.ts';
import { putTenant } from '#registry/commands/tenant.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT = sampleTenant('acme', 7);
const anyUrl = (url: string) => ok(new URL(url));
const noUrl = () => err('the address belongs to a private network');

const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error('the sample has one');
  return item;
};

const SERVER = first(TENANT.servers);
const ISSUER = first(TENANT.issuers);
const GRANT = first(TENANT.grants);
const VERSION = first(SERVER.versions);

const settingsOf = ({ id: _id, enabled: _e, activeVersion: _a, versions: _v, ...settings }: McpServer) =>
  settings;

const accepted = (outcome: Outcome): Tenant => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.tenant;
};

const refusal = (outcome: Outcome): { kind: string; pointers: string[] } =>
  outcome.ok
    ? { kind: 'accepted', pointers: [] }
    : { kind: outcome.error.kind, pointers: outcome.error.faults.map(({ pointer }) => pointer) };

describe('every command', () => {
  it('leaves the tenant it is given untouched', () => {
    const before = structuredClone(TENANT);
    putTenant(TENANT, {
      id: 'acme',
      settings: { displayName: 'x', accessContact: '', allowedOrigins: [], fourEyes: false },
    });
    putIssuer(TENANT, { ...ISSUER, id: 'b', issuer: 'https://b.example.com' }, anyUrl);
    setServerState(TENANT, { id: 'tracker', enabled: false });
    removeGrant(TENANT, 'engineering');
    expect(TENANT).toEqual(before);
  });

  it('says nothing changed when nothing did', () => {
    const outcomes = [
      putIssuer(TENANT, ISSUER, anyUrl),
      putGrant(TENANT, GRANT),
      putServer(TENANT, { id: 'tracker', settings: settingsOf(SERVER) }),
      setServerState(TENANT, { id: 'tracker', enabled: true }),
      publishVersion(TENANT, { serverId: 'tracker', version: VERSION }, noUrl),
      activateVersion(TENANT, { serverId: 'tracker', version: '1.0.0' }, anyUrl),
    ];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: true, value: { changes: [] } });
  });

  it('keeps lists sorted by id, whatever the order of commands', () => {
    const ids = ['m', 'a', 'z'];
    const forwards = ids.reduce((tenant, id) => accepted(putGrant(tenant, { ...GRANT, id })), TENANT);
    const backwards = ids
      .toReversed()
      .reduce((tenant, id) => accepted(putGrant(tenant, { ...GRANT, id })), TENANT);
    expect(forwards).toEqual(backwards);
    expect(forwards.grants.map(({ id }) => id)).toEqual(['a', 'engineering', 'm', 'z']);
  });

  it('says not-found for what does not exist', () => {
    const outcomes = [
      removeIssuer(TENANT, 'x'),
      removeServer(TENANT, 'x'),
      removeGrant(TENANT, 'x'),
      setServerState(TENANT, { id: 'x', enabled: false }),
      publishVersion(TENANT, { serverId: 'x', version: VERSION }, anyUrl),
      activateVersion(TENANT, { serverId: 'x', version: '1.0.0' }, anyUrl),
    ];
    expect(outcomes.map((outcome) => refusal(outcome).kind)).toEqual(Array(6).fill('not-found'));
  });

  it('describes changes by field and never by value', () => {
    const secret = 'https://secret-host.example.com';
    const after = accepted(putIssuer(TENANT, { ...ISSUER, issuer: secret, enabled: false }, anyUrl));
    expect(describeChanges(TENANT, after)).toEqual(['issuers/home: changed enabled, issuer']);
  });
});

describe('adaptive bounds', () => {
  it('are refused where the minimum is above the maximum, each by its name', () => {
    const adaptive = {
      timeout: { minMs: 2_000, maxMs: 1_000 },
      retries: { max: 2, budgetPercent: { min: 20, max: 20 } },
      backoff: { baseMs: { min: 500, max: 25 } },
    };
    const outcome = putServer(TENANT, { id: 'tracker', settings: { ...settingsOf(SERVER), adaptive } });
    expect(refusal(outcome)).toEqual({
      kind: 'invalid',
      pointers: ['/adaptive/timeout/minMs', '/adaptive/backoff/baseMs/min'],
    });
  });
});

describe('a fault that was there before', () => {
  const faulty: Tenant = {
    ...TENANT,
    servers: [{ ...SERVER, constraints: [{ ...first(SERVER.constraints), tool: 'gone' }] }],
  };

  it('does not stand in the way of other resources, nor of the kill switch', () => {
    expect(putGrant(faulty, { ...GRANT, id: 'other' }).ok).toBe(true);
    expect(setServerState(faulty, { id: 'tracker', enabled: false }).ok).toBe(true);
  });

  it('is reported when its own resource is put again', () => {
    const outcome = putServer(faulty, { id: 'tracker', settings: settingsOf(first(faulty.servers)) });
    expect(refusal(outcome)).toEqual({ kind: 'invalid', pointers: ['/constraints/0/tool'] });
  });
});

describe('servers', () => {
  const putWith = (changes: Partial<ServerSettings>) =>
    refusal(putServer(TENANT, { id: 'tracker', settings: { ...settingsOf(SERVER), ...changes } }));
  const binding = first(SERVER.bindings);
  const { oboApplication: _o, ...bare } = binding;

  it.each<[string, Partial<ServerSettings>, string[]]>([
    ['an issuer bound twice', { bindings: [binding, binding] }, ['/bindings']],
    ['no application to exchange with', { bindings: [bare] }, ['/bindings/0/oboApplication']],
    [
      'scopes without a token',
      { upstreamAuth: { mode: 'none', scopes: ['api://a/b'], appOnly: 'refuse' } },
      ['/upstreamAuth/scopes'],
    ],
    [
      'scopes of two resources',
      { upstreamAuth: { mode: 'obo', scopes: ['api://a/x', 'api://b/x'], appOnly: 'refuse' } },
      ['/upstreamAuth/scopes'],
    ],
    [
      'client credentials without a client',
      {
        upstreamAuth: { mode: 'client-credentials', scopes: ['api://a/.default'], appOnly: 'refuse' },
        bindings: [bare],
      },
      ['/bindings/0/oboApplication'],
    ],
    ['a host with a path', { allowedHosts: ['tracker.example.com', 'a.example.com/x'] }, ['/allowedHosts/1']],
    ['a host in capitals', { allowedHosts: ['tracker.example.com', 'A.example.com'] }, ['/allowedHosts/1']],
    ['a host with a user', { allowedHosts: ['tracker.example.com', 'u@a.example.com'] }, ['/allowedHosts/1']],
  ])('with %s are refused', (_name, changes, expected) => {
    expect(putWith(changes)).toEqual({ kind: 'invalid', pointers: expected });
  });

  it('cannot exchange tokens at an issuer that is not Entra', () => {
    const oidc = {
      ...ISSUER,
      kind: 'oidc' as const,
      issuer: 'https://login.example.com',
      directoryTenants: [],
    };
    const plain = { ...oidc, tokenEndpoint: 'https://login.example.com/token' };
    const tenant = { ...TENANT, issuers: [plain], servers: [], grants: [] };
    const outcome = putServer(tenant, { id: 'tracker', settings: settingsOf(SERVER) });
    expect(refusal(outcome)).toEqual({ kind: 'invalid', pointers: ['/bindings/0/issuerId'] });
    expect(refusal(putIssuer(TENANT, { ...plain, id: 'home' }, anyUrl)).kind).toBe('conflict');
  });

  const OIDC = {
    ...ISSUER,
    kind: 'oidc' as const,
    issuer: 'https://login.example.com',
    directoryTenants: [],
    tokenEndpoint: 'https://login.example.com/token',
  };
  const EXCHANGE = {
    mode: 'token-exchange',
    scopes: ['read'],
    appOnly: 'client-credentials',
    resource: 'https://tracker.example.com',
  } as const;
  const putAt = (issuer: TrustedIssuer, changes: Partial<ServerSettings>) => {
    const tenant = { ...TENANT, issuers: [issuer], servers: [], grants: [] };
    const settings = { ...settingsOf(SERVER), constraints: [], ...changes };
    return refusal(putServer(tenant, { id: 'tracker', settings }));
  };

  it('exchange tokens at any other issuer that has a token endpoint, for their resource', () => {
    expect(putAt(OIDC, { upstreamAuth: { ...EXCHANGE, actor: 'application' } }).kind).toBe('accepted');
    const { tokenEndpoint: _, ...without } = OIDC;
    expect(putAt(without, { upstreamAuth: EXCHANGE }).pointers).toEqual(['/bindings/0/issuerId']);
    expect(putAt(ISSUER, { upstreamAuth: EXCHANGE }).pointers).toEqual(['/bindings/0/issuerId']);
    const { resource: _r, ...unnamed } = EXCHANGE;
    expect(putAt(OIDC, { upstreamAuth: unnamed }).pointers).toEqual(['/upstreamAuth/resource']);
  });

  it('get an application’s own token at issuers of every kind, once something says what it is for', () => {
    const own = { mode: 'client-credentials', scopes: [], appOnly: 'refuse' } as const;
    expect(putAt(OIDC, { upstreamAuth: { ...own, resource: 'https://tracker.example.com' } }).kind).toBe(
      'accepted',
    );
    expect(putAt(OIDC, { upstreamAuth: { ...own, scopes: ['read'] } }).kind).toBe('accepted');
    expect(putAt(OIDC, { upstreamAuth: own }).pointers).toEqual(['/upstreamAuth/scopes']);
    const named = { ...own, resource: 'https://tracker.example.com' };
    expect(putAt(ISSUER, { upstreamAuth: named }).pointers).toEqual(['/bindings/0/issuerId']);
  });

  it('are sent a secret of their own without an application or an issuer that exchanges anything', () => {
    const secret = { name: 'tracker-key', header: 'x-api-key' };
    const fixed = { mode: 'static', scopes: [], appOnly: 'refuse' } as const;
    const { tokenEndpoint: _, ...without } = OIDC;
    expect(putAt(without, { upstreamAuth: { ...fixed, secret }, bindings: [bare] }).kind).toBe('accepted');
    expect(putAt(OIDC, { upstreamAuth: fixed }).pointers).toEqual(['/upstreamAuth/secret']);
  });

  it.each([
    [{ mode: 'none', scopes: [], secret: { name: 'key' } }, '/upstreamAuth/secret'],
    [{ mode: 'static', scopes: ['a'], secret: { name: 'key' } }, '/upstreamAuth/scopes'],
    [{ mode: 'obo', scopes: ['api://a/x'], resource: 'https://a.example' }, '/upstreamAuth/resource'],
    [{ mode: 'obo', scopes: ['api://a/x'], actor: 'application' }, '/upstreamAuth/actor'],
    [
      { mode: 'static', scopes: [], secret: { name: 'key' }, tokenAudience: 'a' },
      '/upstreamAuth/tokenAudience',
    ],
  ] as const)('with %j are refused at %s: it says nothing in that mode', (auth, pointer) => {
    expect(putWith({ upstreamAuth: { appOnly: 'refuse', ...auth } })).toEqual({
      kind: 'invalid',
      pointers: [pointer],
    });
  });

  it('name one credential of their application, with the members of its kind', () => {
    const withApplication = (application: object) =>
      putWith({ bindings: [{ ...binding, oboApplication: { clientId: 'app', ...application } }] });
    const at = '/bindings/0/oboApplication/credential';
    expect(withApplication({ secretName: 'app' }).kind).toBe('accepted');
    expect(withApplication({ credential: { kind: 'federated', name: 'app' } }).kind).toBe('accepted');
    const certificate = { kind: 'certificate', name: 'app', algorithm: 'PS256', keyId: 'k1' };
    expect(withApplication({ credential: certificate }).kind).toBe('accepted');
    expect(withApplication({}).pointers).toEqual([at]);
    expect(withApplication({ secretName: 'app', credential: certificate }).pointers).toEqual([at]);
    expect(withApplication({ credential: { ...certificate, kind: 'secret' } }).pointers).toEqual([
      `${at}/algorithm`,
      `${at}/keyId`,
    ]);
    expect(withApplication({ credential: { ...certificate, sentBy: 'post' } }).pointers).toEqual([
      `${at}/sentBy`,
    ]);
  });

  it('ask for a stronger sign-in only for tools that some version has', () => {
    const asking = (tools: string[]) => ({ ...binding, requiredAssurance: [{ anyOf: ['c1'], tools }] });
    expect(putWith({ bindings: [asking(VERSION.tools.map(({ name }) => name))] }).kind).toBe('accepted');
    expect(putWith({ bindings: [asking(['serach'])] })).toEqual({
      kind: 'invalid',
      pointers: ['/bindings/0/requiredAssurance/0/tools/0'],
    });
  });

  it('without a token upstream need no application', () => {
    const none = { mode: 'none', scopes: [], appOnly: 'refuse' } as const;
    expect(putWith({ upstreamAuth: none, bindings: [bare] }).kind).toBe('accepted');
  });

  it('are made switched on, with no version', () => {
    const settings = { ...settingsOf(SERVER), constraints: [], bindings: [{ ...binding, audiences: ['x'] }] };
    const made = accepted(putServer(TENANT, { id: 'new', settings })).servers.find(({ id }) => id === 'new');
    expect(made).toMatchObject({ enabled: true, activeVersion: '', versions: [] });
  });

  it('take a version back whose hosts were withdrawn only after the hosts are', () => {
    const second = { ...VERSION, version: '2.0.0', endpoints: ['https://new.example.com/mcp'] };
    const hosts = ['new.example.com', 'tracker.example.com'];
    let tenant = accepted(
      putServer(TENANT, { id: 'tracker', settings: { ...settingsOf(SERVER), allowedHosts: hosts } }),
    );
    tenant = accepted(publishVersion(tenant, { serverId: 'tracker', version: second }, anyUrl));
    tenant = accepted(activateVersion(tenant, { serverId: 'tracker', version: '2.0.0' }, anyUrl));
    tenant = accepted(
      putServer(tenant, {
        id: 'tracker',
        settings: { ...settingsOf(SERVER), allowedHosts: ['new.example.com'] },
      }),
    );
    const back = activateVersion(tenant, { serverId: 'tracker', version: '1.0.0' }, anyUrl);
    expect(refusal(back)).toEqual({ kind: 'invalid', pointers: ['/version'] });
  });

  it('publish nothing the egress rules forbid, and activate nothing they have come to forbid', () => {
    const version = { ...VERSION, version: '2.0.0' };
    expect(refusal(publishVersion(TENANT, { serverId: 'tracker', version }, noUrl)).pointers).toEqual([
      '/endpoints/0',
    ]);
    expect(
      refusal(activateVersion(TENANT, { serverId: 'tracker', version: '1.0.0' }, noUrl)).pointers,
    ).toEqual(['/version']);
  });
});

describe('servers of one application', () => {
  const sharing = (
    id: string,
    requiredScopes: readonly string[],
    audiences: readonly string[] = ['app'],
  ) => ({
    ...SERVER,
    id,
    bindings: [{ ...first(SERVER.bindings), audiences, requiredScopes }],
  });
  const put = (tenant: Tenant, server: McpServer) =>
    putServer(tenant, { id: server.id, settings: settingsOf(server) });
  const tenantWith = (...servers: McpServer[]): Tenant => ({ ...TENANT, servers, grants: [] });

  it.each([
    [['x'], ['y'], true],
    [['x', 'y'], ['x', 'z'], true],
    [['x'], ['x'], false],
    [['x'], ['x', 'y'], false],
    [[], ['x'], false],
    [[], [], false],
  ])('that require %j and %j are told apart: %s', (one, other, apart) => {
    expect(put(tenantWith(sharing('one', one)), sharing('two', other)).ok).toBe(apart);
  });

  it('are told apart pairwise, where no scope belongs to one alone', () => {
    const tenant = tenantWith(sharing('one', ['x', 'y']), sharing('two', ['y', 'z']));
    expect(put(tenant, sharing('three', ['x', 'z'])).ok).toBe(true);
    expect(put(tenant, sharing('three', ['y'])).ok).toBe(false);
  });

  it('are named once, however many audiences they share', () => {
    const audiences = ['app', 'api://app'];
    const outcome = put(tenantWith(sharing('one', [], audiences)), sharing('two', [], audiences));
    expect(refusal(outcome).pointers).toEqual(['/bindings/0/requiredScopes']);
  });

  it('are judged in no time, however many they are', () => {
    const many = Array.from({ length: 2_000 }, (_, n) => sharing(`s${n}`, [`scope-${n}`], ['a', 'b', 'c']));
    const judge = () => expect(put(tenantWith(...many), sharing('one-more', ['own'])).ok).toBe(true);
    expect(cpuTimeOf(judge)).toBeLessThan(1_000);
  });
});

describe('issuers', () => {
  it('that share an audience on one server do not count as two servers', () => {
    const partner = { ...ISSUER, id: 'partner', issuer: 'https://partner.example.com' };
    const tenant = accepted(putIssuer(TENANT, partner, anyUrl));
    const bindings = [first(SERVER.bindings), { ...first(SERVER.bindings), issuerId: 'partner' }];
    expect(putServer(tenant, { id: 'tracker', settings: { ...settingsOf(SERVER), bindings } }).ok).toBe(true);
  });

  it('are told apart in no time, however many directories they name', () => {
    const directories = (from: number) =>
      Array.from(
        { length: 1_000 },
        (_, n) => `${String(from + n).padStart(8, '0')}-1111-4111-8111-111111111111`,
      );
    const entra = (n: number, from: number) => ({
      ...ISSUER,
      id: `entra-${n}`,
      kind: 'entra' as const,
      issuer: 'https://login.example.com/{tenantid}/v2.0',
      directoryTenants: directories(from),
    });
    const many = Array.from({ length: 20 }, (_, n) => entra(n, n * 1_000));
    const tenant = { ...TENANT, issuers: [...TENANT.issuers, ...many] };
    const judge = () => expect(putIssuer(tenant, entra(20, 20_000), anyUrl).ok).toBe(true);
    expect(cpuTimeOf(judge)).toBeLessThan(2_000);
    expect(putIssuer(tenant, entra(20, 4_999), anyUrl)).toMatchObject({
      error: {
        faults: [
          { pointer: '/issuer', message: 'issuer entra-4 accepts the same tokens' },
          { pointer: '/issuer', message: 'issuer entra-5 accepts the same tokens' },
        ],
      },
    });
  });

  it('keep the directory out of host names, where a tenant could choose the host', () => {
    const entra = {
      ...ISSUER,
      kind: 'entra' as const,
      directoryTenants: ['11111111-1111-4111-8111-111111111111'],
      tokenEndpoint: 'https://{tenantid}.example.com/token',
    };
    expect(refusal(putIssuer(TENANT, entra, anyUrl)).pointers).toEqual(['/tokenEndpoint']);
  });

  it('say how they are asked for tokens only where there is somebody to ask, who is not Entra', () => {
    const tokenRequests = { nameResourceBy: ['audience'], assertionAudience: 'issuer' } as const;
    const oidc = { ...ISSUER, kind: 'oidc', directoryTenants: [], issuer: 'https://idp.example' } as const;
    const put = (issuer: TrustedIssuer) =>
      refusal(putIssuer({ ...TENANT, servers: [], grants: [] }, { ...issuer, tokenRequests }, anyUrl));
    expect(put({ ...oidc, tokenEndpoint: 'https://idp.example/token' }).kind).toBe('accepted');
    const { tokenEndpoint: _, ...without } = oidc;
    expect(put(without).pointers).toEqual(['/tokenRequests']);
    expect(put(ISSUER).pointers).toEqual(['/tokenRequests']);
  });

  it('look groups up only where the directory can be asked, and at an origin', () => {
    const groupLookup = { clientId: 'reader', secretName: 'reader', graphUrl: 'https://graph.microsoft.us' };
    const put = (changes: object) => putIssuer(TENANT, { ...ISSUER, groupLookup, ...changes }, anyUrl);
    expect(accepted(put({})).issuers.find(({ id }) => id === ISSUER.id)).toMatchObject({ groupLookup });
    const { tokenEndpoint: _, ...without } = { ...ISSUER, groupLookup };
    const lonely = { ...TENANT, servers: [], grants: [] };
    expect(refusal(putIssuer(lonely, without, anyUrl)).pointers).toEqual(['/groupLookup']);
    const credential = { kind: 'certificate', name: 'reader' } as const;
    expect(refusal(put({ groupLookup: { ...groupLookup, credential } })).pointers).toEqual([
      '/groupLookup/credential',
    ]);
    expect(refusal(put({ groupLookup: { clientId: 'reader', credential } })).kind).toBe('accepted');
    expect(refusal(put({ claims: { ...ISSUER.claims, groups: 'roles' } })).pointers).toEqual([
      '/groupLookup',
    ]);
    for (const graphUrl of [
      'https://graph.microsoft.us/',
      'https://graph.microsoft.us/v1.0',
      'https://graph.microsoft.us?x',
    ])
      expect(refusal(put({ groupLookup: { ...groupLookup, graphUrl } })).pointers).toContain(
        '/groupLookup/graphUrl',
      );
  });
});

describe('isSameJson', () => {
  it('knows one value in two orders, and two values in one', () => {
    expect(isSameJson({ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 })).toBe(true);
    expect(isSameJson({ a: undefined }, {})).toBe(true);
    expect(isSameJson([1, 2], [2, 1])).toBe(false);
    expect(isSameJson([1], [1, undefined])).toBe(false);
    expect(isSameJson({ a: 1 }, { b: 1 })).toBe(false);
    expect(isSameJson({ a: null }, {})).toBe(false);
    expect(isSameJson([], {})).toBe(false);
    expect(isSameJson('1', 1)).toBe(false);
    expect(isSameJson(undefined, null)).toBe(false);
  });

  it('tells an own __proto__ from none', () => {
    expect(isSameJson(JSON.parse('{"__proto__":{"a":1}}'), {})).toBe(false);
    expect(isSameJson(JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}'))).toBe(true);
  });
});
