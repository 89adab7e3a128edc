// The registry's API over real HTTP, on a real store.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  adminToken,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let count = 0;
/** A tenant of its own for every test. */
let tenant = '';

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

beforeEach(async () => {
  count += 1;
  tenant = `tenant-${count}`;
  const created = await call('PUT', '', TENANT);
  expect(created.status).toBe(201);
});

const TENANT = { displayName: 'Acme', accessContact: 'access@example.com', fourEyes: false };

const ISSUER = {
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  jwksUri: 'https://login.example.com/keys',
  tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  relation: 'home',
  directoryTenants: ['11111111-1111-4111-8111-111111111111'],
};

const binding = (changes: object = {}) => ({
  issuerId: 'home',
  audiences: ['api://gateway'],
  requiredScopes: ['tools.use'],
  oboApplication: { clientId: 'gateway', secretName: 'gateway' },
  ...changes,
});

const server = (changes: object = {}) => ({
  displayName: 'Tracker',
  allowedHosts: ['tracker.example.com'],
  upstreamAuth: { mode: 'obo', scopes: ['api://tracker/.default'] },
  bindings: [binding()],
  ...changes,
});

const version = (changes: object = {}) => ({
  endpoints: ['https://tracker.example.com/mcp'],
  protocolVersions: ['2025-11-25'],
  tools: [{ name: 'list_issues', inputSchema: { type: 'object' } }],
  ...changes,
});

const grant = (changes: object = {}) => ({
  serverId: 'tracker',
  subjects: [{ kind: 'group', id: 'engineering' }],
  tools: ['*'],
  ...changes,
});

const call = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, { ...(body === undefined ? {} : { body }), headers });

const put = async (path: string, body: unknown): Promise<Answer> => {
  const current = await call('GET', path);
  return call('PUT', path, body, current.status === 200 ? { 'if-match': current.etag } : {});
};

/** An issuer, a server with a served version, a grant. */
const furnish = async (): Promise<void> => {
  const answers = [
    await put('/issuers/home', ISSUER),
    await put('/servers/tracker', server()),
    await put('/servers/tracker/versions/1.0.0', version()),
    await activate('1.0.0'),
    await put('/grants/engineering', grant()),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 200, 201]);
};

const activate = async (name: string, serverId = 'tracker'): Promise<Answer> => {
  const { etag } = await call('GET', `/servers/${serverId}`);
  return call('PUT', `/servers/${serverId}/active-version`, { version: name }, { 'if-match': etag });
};

const pointers = (answer: Answer): string[] =>
  (answer.body.errors ?? []).map((fault: { pointer: string }) => fault.pointer);

describe('resources', () => {
  it('are created, read, listed, changed and removed', async () => {
    await furnish();
    const read = await call('GET', '/grants/engineering');
    expect(read.body).toEqual({
      id: 'engineering',
      serverId: 'tracker',
      subjects: [{ kind: 'group', id: 'engineering' }],
      tools: ['*'],
      prompts: [],
      resources: [],
    });
    const patched = await call(
      'PATCH',
      '/grants/engineering',
      { tools: ['list_issues'] },
      { 'if-match': read.etag },
    );
    expect(patched).toMatchObject({ status: 200, body: { tools: ['list_issues'], serverId: 'tracker' } });
    expect((await call('GET', '/grants')).body.items).toEqual([patched.body]);
    const removed = await call('DELETE', '/grants/engineering', undefined, { 'if-match': patched.etag });
    expect(removed).toMatchObject({ status: 204, body: undefined });
    expect((await call('GET', '/grants/engineering')).status).toBe(404);
  });

  it('come with their defaults filled in', async () => {
    await furnish();
    expect((await call('GET', '/issuers/home')).body).toEqual({
      id: 'home',
      ...ISSUER,
      algorithms: ['RS256'],
      claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
      clockToleranceSeconds: 30,
      enabled: true,
    });
    expect((await call('GET', '/servers/tracker')).body).toMatchObject({
      id: 'tracker',
      enabled: true,
      constraints: [],
      refusalStatus: 200,
      maxBodyBytes: 1_048_576,
      upstreamAuth: { appOnly: 'refuse' },
      activeVersion: '1.0.0',
      versions: ['1.0.0'],
    });
    expect((await call('GET', '/servers/tracker/versions/1.0.0')).body.tools).toEqual([
      {
        name: 'list_issues',
        inputSchema: { type: 'object' },
        requiredScopes: [],
        tags: [],
        idempotent: false,
      },
    ]);
  });

  it('do not change when the same is put again, and no revision is made', async () => {
    await furnish();
    const before = await call('GET', '/servers/tracker');
    const again = await put('/servers/tracker', server());
    expect(again).toMatchObject({ status: 200, etag: before.etag });
    expect((await call('GET', '')).body.revision).toBe(6);
  });

  it('name every fault at once, each with its place', async () => {
    const answer = await put('/servers/tracker', {
      displayName: '',
      allowedHosts: [],
      upstreamAuth: { mode: 'telepathy', extra: 1 },
      bindings: [{ issuerId: 'NOT AN ID', audiences: ['x'] }],
      admin: true,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(pointers(answer).toSorted()).toEqual([
      '/admin',
      '/allowedHosts',
      '/bindings/0/issuerId',
      '/displayName',
      '/upstreamAuth/extra',
      '/upstreamAuth/mode',
    ]);
    const meaning = await put('/servers/tracker', server({ upstreamAuth: { mode: 'obo', scopes: [] } }));
    expect(meaning.status).toBe(422);
    expect(pointers(meaning).toSorted()).toEqual(['/bindings/0/issuerId', '/upstreamAuth/scopes']);
  });

  it('refuse an id that differs from the path, and fields that have routes of their own', async () => {
    await put('/issuers/home', ISSUER);
    expect(pointers(await put('/issuers/other', { id: 'home', ...ISSUER }))).toEqual(['/id']);
    expect(pointers(await put('/servers/tracker', { ...server(), enabled: false, versions: [] }))).toEqual([
      '/enabled',
      '/versions',
    ]);
  });

  it.each(['UPPER', 'a_b', '-a', 'a'.repeat(64), 'ä', '..'])('refuse the id %s', async (id) => {
    const answer = await call('PUT', `/grants/${encodeURIComponent(id)}`, grant());
    expect([400, 404]).toContain(answer.status);
  });
});

describe('conditions', () => {
  it('ask for If-Match to change what exists', async () => {
    await furnish();
    for (const [method, body] of [
      ['PUT', grant()],
      ['PATCH', { tools: ['a'] }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await call(method, '/grants/engineering', body);
      expect(answer.status, method).toBe(428);
      expect(answer.body.type).toBe('urn:mcpgw:problem:precondition-required');
    }
  });

  it('let one of two writers win, and tell the other', async () => {
    await furnish();
    const { etag } = await call('GET', '/grants/engineering');
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((tool) =>
        call('PATCH', '/grants/engineering', { tools: [tool] }, { 'if-match': etag }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
  });

  it('do not stand between writers of different resources', async () => {
    await furnish();
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, n) => call('PUT', `/grants/g${n}`, grant({ tools: [`tool-${n}`] }))),
    );
    expect(made.map(({ status }) => status)).toEqual(Array(8).fill(201));
    const { etag } = await call('GET', '/grants/g0');
    await put('/grants/g1', grant({ tools: ['other'] }));
    expect((await call('GET', '/grants/g0')).etag).toBe(etag);
  });

  it('honour If-None-Match: * on creation, and If-Match on what is not there', async () => {
    await furnish();
    const created = await call('PUT', '/grants/new', grant(), { 'if-none-match': '*' });
    expect(created.status).toBe(201);
    expect((await call('PUT', '/grants/new', grant(), { 'if-none-match': '*' })).status).toBe(412);
    expect((await call('PUT', '/grants/newer', grant(), { 'if-match': '"1"' })).status).toBe(412);
    expect((await call('PUT', '/grants/newer', grant(), { 'if-match': '*' })).status).toBe(412);
  });

  it('know nothing of weak or stale tags', async () => {
    await furnish();
    const { etag } = await call('GET', '/grants/engineering');
    for (const tag of [`W/${etag}`, '"0"', etag.replaceAll('"', ''), '']) {
      const answer = await call('DELETE', '/grants/engineering', undefined, { 'if-match': tag });
      expect([412, 428], tag).toContain(answer.status);
    }
  });

  it('answer 304 to whoever has it already', async () => {
    await furnish();
    const { etag } = await call('GET', '/grants/engineering');
    const again = await call('GET', '/grants/engineering', undefined, { 'if-none-match': etag });
    expect(again).toMatchObject({ status: 304, body: undefined });
  });

  it('stay false for a tenant that was removed and made again', async () => {
    await furnish();
    const old = await call('GET', '');
    expect((await call('DELETE', '', undefined, { 'if-match': old.etag })).status).toBe(204);
    expect((await call('PUT', '', TENANT)).status).toBe(201);
    expect((await call('GET', '/servers')).body.items).toEqual([]);
    expect((await call('PATCH', '', { displayName: 'x' }, { 'if-match': old.etag })).status).toBe(412);
  });
});

describe('the reason of a change', () => {
  it('is required on every write, by name', async () => {
    await furnish();
    const { etag } = await call('GET', '/grants/engineering');
    for (const [method, path, body] of [
      ['PUT', '/grants/engineering', grant()],
      ['PATCH', '/grants/engineering', {}],
      ['DELETE', '/grants/engineering', undefined],
      ['PUT', '/servers/tracker/versions/2.0.0', version()],
      ['PUT', '/servers/tracker/active-version', { version: '1.0.0' }],
      ['PATCH', '', {}],
    ] as const) {
      const answer = await call(method, path, body, { 'x-change-reason': '', 'if-match': etag });
      expect(answer.status, path).toBe(400);
      expect(answer.body.errors).toMatchObject([{ in: 'header', pointer: '/x-change-reason' }]);
    }
    const action = await fetch(`${registry.url}/v1/tenants/${tenant}/servers/tracker/state`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await adminToken(['platform-admin'])}`,
      },
      body: '{"enabled":false}',
    });
    expect(action.status).toBe(400);
    expect(await action.json()).toMatchObject({ errors: [{ pointer: '/reason' }] });
  });

  it('is not taken from a body that nobody checks', async () => {
    await furnish();
    const { etag } = await call('GET', '/grants/engineering');
    const headers = { 'if-match': etag, 'x-change-reason': 'no longer needed' };
    const removed = await call('DELETE', '/grants/engineering', { reason: 'x'.repeat(10_000) }, headers);
    expect(removed.status).toBe(204);
    const { body } = await call('GET', '/revisions?limit=1');
    expect(body.items).toMatchObject([{ reason: 'no longer needed' }]);
  });

  it('is kept as it was written, in UTF-8 or in Latin-1', async () => {
    const written = Buffer.from('Schlüssel – getauscht').toString('latin1');
    await call('PUT', '/issuers/home', ISSUER, { 'x-change-reason': written });
    await call(
      'PUT',
      '/issuers/away',
      { ...ISSUER, issuer: 'https://away.example.com/{tenantid}' },
      { 'x-change-reason': 'geändert' },
    );
    const { body } = await call('GET', '/revisions?limit=2');
    expect(body.items.map(({ reason }) => reason)).toEqual(['geändert', 'Schlüssel – getauscht']);
  });

  it('is kept with the actor in revision and audit', async () => {
    await call('PUT', '/issuers/home', ISSUER, { 'x-change-reason': 'ticket 42' });
    const [newest] = (await call('GET', '/revisions')).body.items;
    expect(newest).toMatchObject({
      number: 2,
      actor: JSON.stringify(['https://login.example.com/admins', 'ada']),
      action: 'put issuers/home',
      reason: 'ticket 42',
      changes: ['issuers/home: created'],
    });
    const [record] = (await call('GET', '/audit')).body.items;
    expect(record).toMatchObject({ action: 'put issuers/home', reason: 'ticket 42', tenantId: tenant });
    expect(await registry.store.findAuditFault()).toBeUndefined();
  });
});

describe('history', () => {
  it('shows every revision and the tenant as it stood', async () => {
    await furnish();
    const all = (await call('GET', '/revisions')).body.items;
    expect(all.map((revision: { number: number }) => revision.number)).toEqual([6, 5, 4, 3, 2, 1]);
    expect((await call('GET', '/revisions?limit=2&before=4')).body.items).toEqual(all.slice(3, 5));
    const third = (await call('GET', '/revisions/3')).body;
    expect(third.tenant.servers).toHaveLength(1);
    expect(third.tenant.grants).toEqual([]);
    expect((await call('GET', '/revisions/99')).status).toBe(404);
  });

  it.each(['limit=0', 'limit=1000', 'limit=x', 'before=-1', 'page=2'])(
    'refuses the query %s',
    async (query) => {
      const answer = await call('GET', `/audit?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.errors[0]?.in).toBe('query');
    },
  );
});

describe('versions', () => {
  beforeEach(furnish);

  it('never change: the same again does nothing, another one under the name is refused', async () => {
    const same = await call('PUT', '/servers/tracker/versions/1.0.0', version());
    expect(same.status).toBe(200);
    const other = await call('PUT', '/servers/tracker/versions/1.0.0', version({ tools: [] }));
    expect(other.status).toBe(409);
    expect((await call('GET', '/servers/tracker/versions/1.0.0')).body.tools).toHaveLength(1);
  });

  it('are served only once activated, and only if they are published', async () => {
    await put('/servers/tracker/versions/2.0.0', version());
    expect((await call('GET', '/servers/tracker')).body).toMatchObject({
      activeVersion: '1.0.0',
      versions: ['1.0.0', '2.0.0'],
    });
    expect((await activate('2.0.0')).body.activeVersion).toBe('2.0.0');
    expect(await activate('3.0.0')).toMatchObject({ status: 422 });
  });

  it.each([
    ['another host', ['https://evil.example.com/mcp'], '/endpoints/0'],
    ['another port', ['https://tracker.example.com:8443/mcp'], '/endpoints/0'],
    ['credentials', ['https://a:b@tracker.example.com/mcp'], '/endpoints/0'],
    ['a query', ['https://tracker.example.com/mcp?x=1'], '/endpoints/0'],
    ['another scheme', ['file:///etc/passwd'], '/endpoints/0'],
    ['plain http', ['http://tracker.example.com/mcp'], '/endpoints/0'],
    ['two paths', ['https://tracker.example.com/a', 'https://tracker.example.com/b'], '/endpoints'],
  ])('refuse endpoints with %s', async (_name, endpoints, pointer) => {
    const answer = await call('PUT', '/servers/tracker/versions/9', version({ endpoints }));
    expect(answer.status).toBe(422);
    expect(new Set(pointers(answer))).toEqual(new Set([pointer]));
  });

  it.each(['127.0.0.1', '169.254.169.254', 'metadata.google.internal', '10.0.0.1', '[::1]', 'localhost'])(
    'refuse the host %s even where the admin has allowed it',
    async (host) => {
      await put('/servers/tracker', server({ allowedHosts: ['tracker.example.com', host] }));
      const answer = await call(
        'PUT',
        '/servers/tracker/versions/9',
        version({ endpoints: [`https://${host}/mcp`] }),
      );
      expect(answer.status).toBe(422);
      expect(pointers(answer)).toEqual(['/endpoints/0']);
    },
  );

  it.each([
    ['names that hide something', [{ name: 'list\u202eissues', inputSchema: {} }], 400],
    ['two tools of one name', [1, 2].map(() => ({ name: 'a', inputSchema: {} })), 422],
    ['no input schema', [{ name: 'a' }], 400],
  ])('refuse tools with %s', async (_name, tools, status) => {
    expect((await call('PUT', '/servers/tracker/versions/9', version({ tools }))).status).toBe(status);
  });

  const withSchema = (schema: string) => JSON.stringify(version()).replace('{"type":"object"}', schema);

  it('keep schemas with odd keys as they are', async () => {
    const schema = '{"type":"object","constructor":{"x":1}}';
    const answer = await call('PUT', '/servers/tracker/versions/9', withSchema(schema));
    expect(answer.status).toBe(201);
    expect(JSON.stringify(answer.body.tools[0]?.inputSchema)).toBe(schema);
  });

  it('meet the lint that manifests meet, whoever sends them', async () => {
    const { revision } = (await call('GET', '')).body;
    const tools = [
      { name: 'list', description: 'Lists\u200b issues.', inputSchema: { type: 'object' } },
      { name: 'list', inputSchema: { type: 'object' } },
    ];
    const answer = await call('PUT', '/servers/tracker/versions/9', version({ tools }));
    expect(answer).toMatchObject({ status: 422, body: { type: 'urn:mcpgw:problem:manifest-lint-failed' } });
    expect(pointers(answer)).toEqual(expect.arrayContaining(['/tools/0/description', '/tools/1/name']));
    expect((await call('GET', '')).body.revision).toBe(revision);
  });

  it('take no __proto__: a call with such an argument would be refused as well', async () => {
    const hostile = withSchema('{"__proto__":{"polluted":true}}');
    const answer = await call('PUT', '/servers/tracker/versions/9', hostile);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain('__proto__');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('rules across resources', () => {
  beforeEach(furnish);

  it('keep an issuer that a server or a grant names, and say who', async () => {
    const { etag } = await call('GET', '/issuers/home');
    const answer = await call('DELETE', '/issuers/home', undefined, { 'if-match': etag });
    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body.errors)).toContain('servers/tracker/bindings/0/issuerId');
  });

  it('keep a server that a grant names, and say which', async () => {
    const { etag } = await call('GET', '/servers/tracker');
    const answer = await call('DELETE', '/servers/tracker', undefined, { 'if-match': etag });
    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body.errors)).toContain('grants/engineering');
  });

  it('refuse two servers with one audience unless each requires a scope of its own', async () => {
    const shared = await put('/servers/reports', server({ allowedHosts: ['reports.example.com'] }));
    expect(shared.status).toBe(422);
    expect(pointers(shared)).toEqual(['/bindings/0/requiredScopes']);
    // A scope more on one side is not enough: its tokens would still open the other.
    const oneSided = await put(
      '/servers/reports',
      server({ bindings: [binding({ requiredScopes: ['tools.use', 'reports'] })] }),
    );
    expect(oneSided.status).toBe(422);
    const apart = await put(
      '/servers/reports',
      server({ bindings: [binding({ requiredScopes: ['reports.use'] })] }),
    );
    expect(apart.status).toBe(201);
  });

  it('refuse to take the token endpoint from under a server that exchanges tokens', async () => {
    const { etag } = await call('GET', '/issuers/home');
    const answer = await call('PATCH', '/issuers/home', { tokenEndpoint: null }, { 'if-match': etag });
    expect(answer.status).toBe(409);
  });

  it('refuse to narrow the allowed hosts below the version that is served', async () => {
    const answer = await put('/servers/tracker', server({ allowedHosts: ['other.example.com'] }));
    expect(pointers(answer)).toEqual(['/allowedHosts']);
  });

  it.each([
    ['on a tool that does not exist', { tool: 'delete_issue', maximum: 3 }, '/constraints/0/tool'],
    ['without a limit', { tool: 'list_issues' }, '/constraints/0'],
    ['with two limits', { tool: 'list_issues', maximum: 3, maxLength: 3 }, '/constraints/0'],
  ])('refuse a constraint %s', async (_name, constraint, pointer) => {
    const constraints = [{ name: 'limit', pointer: '/count', ...constraint }];
    expect(pointers(await put('/servers/tracker', server({ constraints })))).toEqual([pointer]);
  });

  it('take constraints before the first version, and refuse a version that leaves one without its tool', async () => {
    const constraints = [{ name: 'limit', tool: 'close_issue', pointer: '/count', maximum: 3 }];
    const early = server({ constraints, bindings: [binding({ audiences: ['api://other'] })] });
    expect((await put('/servers/early', early)).status).toBe(201);
    expect((await put('/servers/early/versions/1.0.0', version())).status).toBe(409);
    const tools = [{ name: 'close_issue', inputSchema: { type: 'object' } }];
    expect((await put('/servers/early/versions/1.0.0', version({ tools }))).status).toBe(201);
  });

  it.each([
    ['an unknown server', { serverId: 'nothing' }, '/serverId'],
    ['an unknown issuer', { subjects: [{ kind: 'user', id: 'x', issuerId: 'no' }] }, '/subjects/0/issuerId'],
    ['nothing to give', { tools: [] }, ''],
  ])('refuse a grant of %s', async (_name, changes, pointer) => {
    expect(pointers(await put('/grants/g', grant(changes)))).toEqual([pointer]);
  });

  it.each([
    ['an Entra issuer of every directory', { kind: 'entra' }, ['/directoryTenants']],
    ['a directory outside Entra', { directoryTenants: ISSUER.directoryTenants }, ['/directoryTenants']],
    ['a placeholder outside Entra', { issuer: 'https://x.example.com/{tenantid}' }, ['/issuer']],
    ['keys in a private network', { jwksUri: 'https://10.0.0.1/keys' }, ['/jwksUri']],
    ['keys behind a metadata address', { jwksUri: 'http://169.254.169.254/keys' }, ['/jwksUri']],
    ['the tokens of another issuer', {}, ['/issuer']],
    ['a symmetric algorithm', { algorithms: ['HS256'] }, ['/algorithms/0']],
  ])('refuse an issuer with %s', async (_name, changes, expected) => {
    const { jwksUri, relation } = ISSUER;
    const fresh = { kind: 'oidc', issuer: 'https://second.example.com', jwksUri, relation };
    const body = Object.keys(changes).length === 0 ? ISSUER : { ...fresh, ...changes };
    expect(pointers(await put('/issuers/second', body))).toEqual(expected);
  });

  it('take two issuers of one Entra template as long as their directories differ', async () => {
    const entra = (directory: string) => ({
      kind: 'entra',
      issuer: 'https://login.example.net/{tenantid}/v2.0',
      jwksUri: 'https://login.example.net/keys',
      tokenEndpoint: 'https://login.example.net/{tenantid}/token',
      relation: 'partner',
      directoryTenants: [directory],
    });
    const [first, second] = ['1', '2'].map((digit) => `${digit.repeat(8)}-1111-4111-8111-111111111111`);
    expect((await put('/issuers/one', entra(first ?? ''))).status).toBe(201);
    expect((await put('/issuers/two', entra(second ?? ''))).status).toBe(201);
    expect(pointers(await put('/issuers/three', entra(first ?? '')))).toEqual(['/issuer']);
  });

  it('refuse origins that no browser sends', async () => {
    const answer = await put('', {
      ...TENANT,
      allowedOrigins: ['https://a.example.com', 'https://b.example.com/'],
    });
    expect(pointers(answer)).toEqual(['/allowedOrigins/1']);
  });
});

describe('the kill switch', () => {
  beforeEach(furnish);

  it('switches off without If-Match, and on only with it', async () => {
    const off = await call('PUT', '/servers/tracker/state', { enabled: false, reason: 'incident 7' });
    expect(off).toMatchObject({ status: 200, body: { enabled: false } });
    expect((await call('PUT', '/servers/tracker/state', { enabled: true })).status).toBe(428);
    const on = await call('PUT', '/servers/tracker/state', { enabled: true }, { 'if-match': off.etag });
    expect(on.body.enabled).toBe(true);
    const reasons = (await call('GET', '/revisions')).body.items.map(
      (item: { reason: string }) => item.reason,
    );
    expect(reasons.slice(0, 2)).toEqual(['a test', 'incident 7']);
  });

  it('honours If-Match where it is sent', async () => {
    const answer = await call('PUT', '/servers/tracker/state', { enabled: false }, { 'if-match': '"0"' });
    expect(answer.status).toBe(412);
  });

  it('is not released by replacing or patching the server', async () => {
    await call('PUT', '/servers/tracker/state', { enabled: false });
    const replaced = await put('/servers/tracker', server({ displayName: 'Renamed' }));
    expect(replaced.body).toMatchObject({ enabled: false, displayName: 'Renamed' });
    const patched = await call('PATCH', '/servers/tracker', { enabled: true }, { 'if-match': replaced.etag });
    expect(patched.status).toBe(422);
  });
});

describe('terminating streams', () => {
  it('announces an event and records it, without a revision', async () => {
    await furnish();
    const before = await registry.store.lastSequence();
    const answer = await call('POST', '/streams/terminate', { serverId: 'tracker', reason: 'leaked key' });
    expect(answer.status).toBe(202);
    const { items } = await registry.store.readAfter(before, 10, before);
    expect(items).toMatchObject([{ kind: 'event', event: answer.body }]);
    expect((await call('GET', '/audit')).body.items[0]).toMatchObject({ action: 'terminate streams' });
    expect((await call('GET', '')).body.revision).toBe(6);
  });

  it('refuses a scope it does not know, rather than ending everything', async () => {
    expect((await call('POST', '/streams/terminate', { server: 'tracker' })).status).toBe(400);
    expect((await call('POST', '/streams/terminate', { serverId: null })).status).toBe(400);
  });

  it('knows the tenant and the server', async () => {
    const answer = await registry.call('POST', '/v1/tenants/nobody/streams/terminate', { body: {} });
    expect(answer.status).toBe(404);
    await furnish();
    expect((await call('POST', '/streams/terminate', { serverId: 'trakcer', reason: 'slip' })).status).toBe(
      404,
    );
  });
});

describe('HTTP', () => {
  it.each([
    ['POST', '', 405],
    ['DELETE', '/servers', 405],
    ['PUT', '/nothing', 404],
    ['GET', '/servers/tracker/extra', 404],
  ])('answers %s %s with %i as a problem', async (method, path, status) => {
    const answer = await call(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    if (status === 405) expect(answer.headers.get('allow')).toContain('GET');
  });

  it.each([
    ['another media type', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['no media type', 'x', { 'content-type': '' }, 415],
    ['broken JSON', '{"displayName":', {}, 400],
    ['a repeated key', '{"displayName":"a","displayName":"b","accessContact":""}', {}, 400],
    ['a bomb of brackets', '['.repeat(100_000), {}, 400],
    ['a body of megabytes', JSON.stringify({ displayName: 'x'.repeat(5_000_000) }), {}, 413],
    ['an array', '[]', {}, 400],
    ['null', 'null', {}, 400],
  ])('refuses %s', async (_name, body, headers, status) => {
    const { etag } = await call('GET', '');
    const answer = await call('PUT', '', body, { 'if-match': etag, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.body.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['an escape that is none', '/servers/%zz', 400],
    ['a name without end', `/servers/${'a'.repeat(800)}`, 414],
  ])('answers a path with %s as a problem', async (_name, path, status) => {
    const answer = await call('GET', path);
    expect(answer).toMatchObject({ status, body: { status, type: 'urn:mcpgw:problem:invalid-request' } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('is not stored by caches', async () => {
    const answer = await call('GET', '');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('says that the store is broken without saying how', async () => {
    const broken = await startTestRegistry();
    await broken.store.close();
    const answer = await broken.call('GET', '/v1/tenants');
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:mcpgw:problem:unavailable' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/database|sqlite/i);
    expect(broken.logLines.join('')).toContain('request failed');
    await broken.stop().catch(() => undefined);
  });
});

describe('/v1/consumers', () => {
  it('shows what is on the board', async () => {
    registry.consumers = [
      {
        consumer: 'xds-server',
        connected: true,
        since: '2026-01-01T00:00:00.000Z',
        sentSequence: 3,
        status: { sequence: 3 },
        reportedAt: '2026-01-01T00:00:01.000Z',
      },
    ];
    const answer = await registry.call('GET', '/v1/consumers');
    expect(answer.body.items).toEqual(registry.consumers);
    expect(answer.body.sequence).toBe(await registry.store.lastSequence());
  });
});
