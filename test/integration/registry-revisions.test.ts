// Reading and undoing revisions over real HTTP, on a real store.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let count = 0;
/** A tenant of its own for every test, furnished in six revisions. */
let tenant = '';

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

const ISSUER = {
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  jwksUri: 'https://login.example.com/keys',
  tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  relation: 'home',
  directoryTenants: ['11111111-1111-4111-8111-111111111111'],
};

const PARTNER = {
  ...ISSUER,
  issuer: 'https://partner.example.com/{tenantid}/v2.0',
  relation: 'partner',
};

const server = (changes: object = {}) => ({
  displayName: 'Tracker',
  allowedHosts: ['tracker.example.com'],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
  ...changes,
});

const version = (...tools: string[]) => ({
  endpoints: ['https://tracker.example.com/mcp'],
  protocolVersions: ['2025-11-25'],
  tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
});

const grant = (changes: object = {}) => ({
  serverId: 'tracker',
  subjects: [{ kind: 'group', id: 'engineering' }],
  tools: ['list', 'create'],
  ...changes,
});

type Headers = Record<string, string>;

const call = (method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, { ...(body === undefined ? {} : { body }), headers });

const etagOf = async (path: string): Promise<Headers> => {
  const { status, etag } = await call('GET', path);
  return status === 200 ? { 'if-match': etag } : {};
};

const put = async (path: string, body: unknown): Promise<Answer> =>
  call('PUT', path, body, await etagOf(path));

const remove = async (path: string): Promise<Answer> => call('DELETE', path, undefined, await etagOf(path));

const activate = async (name: string): Promise<Answer> =>
  call('PUT', '/servers/tracker/active-version', { version: name }, await etagOf('/servers/tracker'));

const restore = async (number: number, query = '', headers?: Headers): Promise<Answer> =>
  call('POST', `/revisions/${number}/restore${query}`, undefined, headers ?? (await etagOf('')));

type AccessBody = {
  readonly gained: readonly object[];
  readonly lost: readonly object[];
  readonly loosened: readonly object[];
  readonly digest?: string;
};

const accessOf = (answer: Answer): AccessBody => (answer.body as unknown as { access: AccessBody }).access;

/** Restores after reading what access it adds, as a person would. */
const confirmedRestore = async (number: number): Promise<Answer> => {
  const { digest } = accessOf(await restore(number, '?dryRun=true'));
  return restore(number, digest === undefined ? '' : `?confirmAddedAccess=${digest}`);
};

const revisionNow = async (): Promise<number> => (await call('GET', '')).body.revision;

const standing = async () => {
  const { body } = await call('GET', `/revisions/${await revisionNow()}`);
  const { revision: _r, ...rest } = body.tenant as unknown as { revision: number };
  return rest;
};

const messages = (answer: Answer): string[] => answer.body.errors.map(({ message }) => message).toSorted();

const ENGINEERING = [{ kind: 'group', id: 'engineering', issuerId: 'home', callers: 'members' }];

const gain = (tools: readonly string[], laterTools: readonly string[] = []) => ({
  serverId: 'tracker',
  subjects: ENGINEERING,
  tools,
  laterTools,
  prompts: [],
  resources: [],
});

beforeEach(async () => {
  count += 1;
  tenant = `tenant-${count}`;
  const answers = [
    await call('PUT', '', { displayName: 'Acme', accessContact: '', fourEyes: false }),
    await put('/issuers/home', ISSUER),
    await put('/servers/tracker', server()),
    await put('/servers/tracker/versions/1.0.0', version('list', 'create')),
    await activate('1.0.0'),
    await put('/grants/engineering', grant()),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 200, 201]);
});

describe('the difference of revisions', () => {
  it('is linked from every entry of the list, page by page, and can be followed', async () => {
    const pages = [await call('GET', '/revisions?limit=4'), await call('GET', '/revisions?limit=4&before=3')];
    const items = pages.flatMap(({ body }) => body.items) as unknown as {
      number: number;
      links: { diff: string };
    }[];
    expect(items.map(({ number }) => number)).toEqual([6, 5, 4, 3, 2, 1]);
    const diffs = await Promise.all(items.map(({ links }) => registry.call('GET', links.diff)));
    expect(diffs.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(diffs.map(({ body }) => body)).toMatchObject([
      { from: 5, to: 6, resources: [{ resource: 'grants/engineering', change: 'added' }] },
      {
        from: 4,
        to: 5,
        resources: [
          {
            resource: 'servers/tracker',
            change: 'changed',
            changes: [{ change: 'changed', pointer: '/activeVersion', before: '', after: '1.0.0' }],
          },
        ],
      },
      { from: 3, to: 4, resources: [{ resource: 'servers/tracker' }, { change: 'added' }] },
      { from: 2, to: 3, resources: [{ resource: 'servers/tracker', change: 'added' }] },
      { from: 1, to: 2, resources: [{ resource: 'issuers/home', change: 'added' }] },
      { from: 0, to: 1, resources: [{ resource: 'tenant', change: 'added' }] },
    ]);
  });

  it('runs between any two, in either direction, and to the present', async () => {
    await put('/grants/engineering', grant({ tools: ['list'] }));
    const forth = await call('GET', '/revisions/6/diff?to=7');
    expect(forth.body).toEqual({
      from: 6,
      to: 7,
      resources: [
        {
          resource: 'grants/engineering',
          change: 'changed',
          changes: [{ change: 'removed', pointer: '/tools/1', before: 'create' }],
        },
      ],
    });
    const back = await call('GET', '/revisions/7/diff?to=6');
    expect(back.body).toMatchObject({ from: 7, to: 6, resources: [{ changes: [{ change: 'added' }] }] });
    expect((await call('GET', '/revisions/6/diff?to=current')).body).toEqual(forth.body);
    expect((await call('GET', '/revisions/7/diff?to=current')).body).toEqual({
      from: 7,
      to: 7,
      resources: [],
    });
  });

  it('carries the ETag of the state compared with', async () => {
    const diff = await call('GET', '/revisions/2/diff?to=current');
    expect(diff.etag).toBe((await call('GET', '')).etag);
    const again = await call('GET', '/revisions/2/diff?to=current', undefined, {
      'if-none-match': diff.etag,
    });
    expect(again.status).toBe(304);
  });

  it('shows the removal of a tenant, and its making anew', async () => {
    await remove('');
    await call('PUT', '', { displayName: 'Acme again', accessContact: '', fourEyes: false });
    const removal = (await call('GET', '/revisions/7/diff')).body as unknown as {
      resources: { change: string }[];
    };
    expect(new Set(removal.resources.map(({ change }) => change))).toEqual(new Set(['removed']));
    expect((await call('GET', '/revisions/8/diff')).body).toMatchObject({
      from: 7,
      to: 8,
      resources: [{ resource: 'tenant', change: 'added' }],
    });
  });

  it('knows no revision that is not there, and no word that is none', async () => {
    expect((await call('GET', '/revisions/7/diff')).status).toBe(404);
    expect((await call('GET', '/revisions/1/diff?to=7')).status).toBe(404);
    for (const query of ['to=0', 'to=-1', 'to=now', 'to=', 'from=1']) {
      const answer = await call('GET', `/revisions/1/diff?${query}`);
      expect(answer.status, query).toBe(400);
      expect(answer.body.errors, query).toMatchObject([{ in: 'query' }]);
    }
  });

  it('is for those who may read the tenant', async () => {
    const path = `/v1/tenants/${tenant}/revisions/6/diff`;
    expect((await registry.call('GET', path, { roles: [`auditor:${tenant}`] })).status).toBe(200);
    expect((await registry.call('GET', path, { roles: ['admin:other'] })).status).toBe(403);
    expect((await registry.call('GET', path, { roles: null })).status).toBe(401);
  });
});

describe('a restore', () => {
  it('brings everything back together, as one revision that says where it came from', async () => {
    const before = await standing();
    await put('/servers/tracker', server({ displayName: 'Renamed' }));
    await put('/grants/engineering', grant({ tools: ['list'] }));
    await put('/grants/added', grant({ subjects: [{ kind: 'user', id: 'eve' }] }));
    await put('', { displayName: 'Other', accessContact: '', fourEyes: false, maxStaleSeconds: 60 });
    const answer = await confirmedRestore(6);
    expect(answer).toMatchObject({
      status: 200,
      etag: '"11"',
      body: { revision: 11, restoredFrom: 6, stillDifferent: [] },
    });
    expect(accessOf(answer)).toMatchObject({
      gained: [gain(['create'])],
      lost: [{ tools: ['create', 'list'] }],
    });
    expect(await standing()).toEqual(before);
    const [newest] = (await call('GET', '/revisions?limit=1')).body.items;
    expect(newest).toMatchObject({
      number: 11,
      action: 'restore revisions/6',
      reason: 'a test',
      changes: [
        'grants/added: removed',
        'grants/engineering: changed tools',
        'servers/tracker: changed displayName',
        'tenant: changed displayName, maxStaleSeconds',
      ],
    });
    const [record] = (await call('GET', '/audit?limit=1')).body.items;
    expect(record).toMatchObject({ action: 'restore revisions/6', reason: 'a test' });
    expect(await registry.store.findAuditFault()).toBeUndefined();
  });

  it('of the present changes nothing and makes no revision', async () => {
    const answer = await restore(6);
    expect(answer).toMatchObject({ status: 200, etag: '"6"', body: { revision: 6, resources: [] } });
    expect(await revisionNow()).toBe(6);
  });

  it('that only takes access away needs no confirmation', async () => {
    await put('/grants/added', grant({ subjects: [{ kind: 'user', id: 'eve' }] }));
    const answer = await restore(6);
    expect(answer.status).toBe(200);
    expect(accessOf(answer)).toMatchObject({ gained: [], loosened: [] });
    expect(accessOf(answer).digest).toBeUndefined();
  });

  it('that adds access is refused with the list of it, until that very list is confirmed', async () => {
    await remove('/grants/engineering');
    const refused = await restore(6);
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'urn:mcpgw:problem:access-not-confirmed',
        errors: [{ in: 'query', pointer: '/confirmAddedAccess' }],
      },
    });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(accessOf(refused)).toMatchObject({ gained: [gain(['create', 'list'])], lost: [], loosened: [] });
    const digest = accessOf(refused).digest ?? '';
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await restore(6, `?confirmAddedAccess=${'0'.repeat(64)}`)).status).toBe(409);
    expect(await revisionNow()).toBe(7);
    expect((await restore(6, `?confirmAddedAccess=${digest}`)).status).toBe(200);
    expect((await call('GET', '/grants/engineering')).status).toBe(200);
  });

  it('is not confirmed by a list that has become another', async () => {
    const wanted = grant({ subjects: [{ kind: 'user', id: 'ada' }] });
    await put('/grants/added', wanted);
    await remove('/grants/engineering');
    const seen = accessOf(await restore(7)).digest;
    await remove('/grants/added');
    const answer = await restore(7, `?confirmAddedAccess=${seen}`);
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:access-not-confirmed' } });
    expect(accessOf(answer).gained).toMatchObject([
      { subjects: [...ENGINEERING, { kind: 'user', id: 'ada' }], tools: ['create', 'list'] },
    ]);
    expect(await revisionNow()).toBe(9);
  });

  it('asks for the loss of a limit to be seen as well', async () => {
    const constraints = [{ name: 'few', tool: 'list', pointer: '/count', maximum: 3 }];
    await put('/servers/tracker', server({ constraints }));
    const refused = await restore(6);
    expect(refused.status).toBe(409);
    expect(accessOf(refused)).toMatchObject({
      gained: [],
      loosened: [{ resource: 'servers/tracker', message: 'constraint few is dropped' }],
    });
    expect((await confirmedRestore(6)).status).toBe(200);
  });

  it('needs the revision of the tenant, and a reason', async () => {
    expect((await restore(5, '', {})).status).toBe(428);
    expect((await restore(5, '', { 'if-match': '"5"' })).status).toBe(412);
    const { etag } = await call('GET', '');
    const silent = await restore(5, '', { 'if-match': etag, 'x-change-reason': '' });
    expect(silent).toMatchObject({ status: 400, body: { errors: [{ in: 'header' }] } });
    expect(await revisionNow()).toBe(6);
  });

  it('is for admins of the tenant', async () => {
    const path = `/v1/tenants/${tenant}/revisions/6/restore`;
    const headers = await etagOf('');
    for (const role of [`operator:${tenant}`, `auditor:${tenant}`, 'admin:other'])
      expect((await registry.call('POST', path, { headers, roles: [role] })).status, role).toBe(403);
    expect((await registry.call('POST', path, { headers, roles: [`admin:${tenant}`] })).status).toBe(200);
  });

  it('knows no revision that is not there, nor another tenant’s', async () => {
    expect((await restore(7)).status).toBe(404);
    await call('DELETE', '', undefined, await etagOf(''));
    expect((await restore(6, '', { 'if-match': '"6"' })).status).toBe(404);
  });

  it('cannot bring back a tenant from its own removal', async () => {
    await remove('');
    await call('PUT', '', { displayName: 'Acme again', accessContact: '', fourEyes: false });
    expect(await restore(7)).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:conflict' } });
  });
});

describe('what protects', () => {
  it('stays: a thrown kill switch is not released', async () => {
    await call('PUT', '/servers/tracker/state', { enabled: false });
    await put('/grants/engineering', grant({ tools: ['list'] }));
    const answer = await confirmedRestore(6);
    expect(answer).toMatchObject({
      status: 200,
      body: { stillDifferent: ['servers/tracker: changed enabled'] },
    });
    expect((await call('GET', '/servers/tracker')).body.enabled).toBe(false);
    expect((await call('GET', '/grants/engineering')).body.tools).toEqual(['list', 'create']);
  });

  it('stays: a server removed after its kill switch was thrown comes back switched off', async () => {
    await call('PUT', '/servers/tracker/state', { enabled: false });
    await remove('/grants/engineering');
    await remove('/servers/tracker');
    const answer = await confirmedRestore(6);
    expect(answer.status).toBe(200);
    expect((await call('GET', '/servers/tracker')).body).toMatchObject({
      enabled: false,
      activeVersion: '1.0.0',
      versions: ['1.0.0'],
    });
  });

  it('stays: a disabled issuer', async () => {
    await put('/issuers/home', { ...ISSUER, enabled: false });
    await remove('/grants/engineering');
    expect((await confirmedRestore(6)).status).toBe(200);
    expect((await call('GET', '/issuers/home')).body.enabled).toBe(false);
  });

  it('stays: a removed issuer, and everything that would need it is named', async () => {
    await put('/issuers/partner', PARTNER);
    const bindings = ['home', 'partner'].map((issuerId) => ({ issuerId, audiences: ['api://gateway'] }));
    await put('/servers/tracker', server({ bindings }));
    await put('/grants/guests', grant({ subjects: [{ kind: 'group', id: 'x', issuerId: 'partner' }] }));
    await remove('/grants/guests');
    await put('/servers/tracker', server());
    expect((await remove('/issuers/partner')).status).toBe(204);
    const before = await standing();
    const answer = await restore(9);
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:conflict' } });
    expect(messages(answer)).toEqual([
      'grants/guests/subjects/0/issuerId: issuer partner does not exist',
      'servers/tracker/bindings/1/issuerId: issuer partner does not exist',
    ]);
    expect(await standing()).toEqual(before);
    expect(await revisionNow()).toBe(12);
  });

  it('stays: versions published since', async () => {
    await put('/servers/tracker/versions/2.0.0', version('list', 'wipe'));
    await activate('2.0.0');
    expect((await confirmedRestore(6)).status).toBe(200);
    expect((await call('GET', '/servers/tracker')).body).toMatchObject({
      activeVersion: '1.0.0',
      versions: ['1.0.0', '2.0.0'],
    });
  });
});

describe('in a race', () => {
  it('one of many restores wins, and the others are told', async () => {
    await put('/grants/added', grant({ subjects: [{ kind: 'user', id: 'eve' }] }));
    const headers = await etagOf('');
    const answers = await Promise.all([6, 5, 6, 5].map((number) => restore(number, '', headers)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
    expect(await revisionNow()).toBe(8);
    const won = answers.find(({ status }) => status === 200)?.body as unknown as { restoredFrom: number };
    const { grants } = (await standing()) as unknown as { grants: object[] };
    expect(grants).toHaveLength(won.restoredFrom === 6 ? 1 : 0);
  });

  it('a kill switch thrown meanwhile stands, even against If-Match: *', async () => {
    await put('', { displayName: 'Other', accessContact: '', fourEyes: false });
    const [off, ...restores] = await Promise.all([
      call('PUT', '/servers/tracker/state', { enabled: false }),
      ...[6, 6, 6].map((number) => restore(number, '', { 'if-match': '*' })),
    ]);
    expect(off.status).toBe(200);
    expect(restores.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await call('GET', '/servers/tracker')).body.enabled).toBe(false);
    expect((await call('GET', '')).body).toMatchObject({ displayName: 'Acme', revision: 9 });
  });
});

describe('a dry run', () => {
  it('of a restore tells the difference and the access, and writes nothing', async () => {
    await remove('/grants/engineering');
    const sequence = await registry.store.lastSequence();
    const dry = await restore(6, '?dryRun=true');
    expect(dry).toMatchObject({
      status: 200,
      body: { dryRun: true, revision: 7, resources: [{ resource: 'grants/engineering', change: 'added' }] },
    });
    expect(accessOf(dry)).toMatchObject({ gained: [gain(['create', 'list'])], lost: [] });
    expect(await registry.store.lastSequence()).toBe(sequence);
    const real = await restore(6, `?confirmAddedAccess=${accessOf(dry).digest}`);
    expect(real).toMatchObject({
      status: 200,
      body: { resources: (dry.body as { resources?: object }).resources },
    });
  });

  it('of a grant tells who would gain and who would lose what', async () => {
    const path = '/grants/engineering?dryRun=true';
    const wanted = grant({ tools: ['list', 'later'], subjects: [{ kind: 'group', id: 'engineering' }] });
    const { 'if-match': etag = '' } = await etagOf('/grants/engineering');
    const dry = await call('PUT', path, wanted, { 'if-match': etag });
    expect(dry.status).toBe(200);
    expect(accessOf(dry)).toMatchObject({ gained: [gain([], ['later'])], lost: [gain(['create'])] });
    expect((await call('GET', '/grants/engineering')).etag).toBe(etag);
    const made = await call('PUT', '/grants/fresh?dryRun=true', grant({ tools: ['*'] }));
    expect(made).toMatchObject({ status: 200, body: { dryRun: true } });
    expect((await call('GET', '/grants/fresh')).status).toBe(404);
    const gone = await call('DELETE', path, undefined, { 'if-match': etag });
    expect(accessOf(gone)).toMatchObject({ gained: [], lost: [gain(['create', 'list'])] });
    const real = await call('PUT', '/grants/engineering?dryRun=false', wanted, { 'if-match': etag });
    expect(real).toMatchObject({ status: 200, body: { tools: ['list', 'later'] } });
  });

  it('of a server tells who would be let in by another binding', async () => {
    await put('/issuers/partner', PARTNER);
    await put('/grants/guests', grant({ subjects: [{ kind: 'group', id: 'x', issuerId: 'partner' }] }));
    const bindings = ['home', 'partner'].map((issuerId) => ({ issuerId, audiences: ['api://gateway'] }));
    const headers = await etagOf('/servers/tracker');
    const dry = await call('PUT', '/servers/tracker?dryRun=true', server({ bindings }), headers);
    expect(dry.body).toMatchObject({
      resources: [{ resource: 'servers/tracker', changes: [{ change: 'added', pointer: '/bindings/1' }] }],
    });
    expect(accessOf(dry).gained).toMatchObject([
      { subjects: [{ id: 'x', issuerId: 'partner', callers: 'partners' }], tools: ['create', 'list'] },
    ]);
    expect(await etagOf('/servers/tracker')).toEqual(headers);
  });

  it('of an activation tells which tools callers would gain and lose, and serves nothing else', async () => {
    await call('PUT', '/servers/tracker/versions/9.0.0', version('list', 'export'));
    await put('/grants/engineering', grant({ tools: ['list', 'create', 'export'] }));
    const headers = await etagOf('/servers/tracker');
    const path = '/servers/tracker/active-version?dryRun=true';
    const dry = await call('PUT', path, { version: '9.0.0' }, headers);
    expect(dry.status).toBe(200);
    expect(accessOf(dry)).toMatchObject({
      gained: [{ serverId: 'tracker', tools: ['export'] }],
      lost: [{ serverId: 'tracker', tools: ['create'] }],
    });
    expect(await etagOf('/servers/tracker')).toEqual(headers);
  });

  it('of a switch or of settings tells the difference, and throws nothing', async () => {
    const state = await call('PUT', '/servers/tracker/state?dryRun=true', { enabled: false });
    expect(state.body).toMatchObject({ resources: [{ resource: 'servers/tracker' }] });
    expect((await call('GET', '/servers/tracker')).body.enabled).toBe(true);
    const headers = await etagOf('');
    const allowedOrigins = ['https://app.example.com'];
    const dry = await call('PATCH', '?dryRun=true', { allowedOrigins }, headers);
    expect(accessOf(dry).loosened).toMatchObject([{ resource: 'tenant' }]);
    expect(await etagOf('')).toEqual(headers);
  });

  it('needs a tenant to begin with', async () => {
    const body = { displayName: 'x', accessContact: '' };
    const answer = await registry.call('PUT', '/v1/tenants/nobody-yet?dryRun=true', { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ in: 'query', pointer: '/dryRun' }] } });
  });

  it('is refused for what the change itself would be refused for', async () => {
    expect((await call('PUT', '/grants/engineering?dryRun=true', grant())).status).toBe(428);
    expect((await call('PUT', '/grants/new?dryRun=true', grant({ serverId: 'nothing' }))).status).toBe(422);
    const path = `/v1/tenants/${tenant}/grants/new?dryRun=true`;
    const answer = await registry.call('PUT', path, { body: grant(), roles: [`auditor:${tenant}`] });
    expect(answer.status).toBe(403);
  });

  it('is never taken for the real thing where there is none, nor where it is misspelt', async () => {
    const sequence = await registry.store.lastSequence();
    for (const [method, path, body] of [
      ['PUT', '/servers/tracker/versions/2.0.0?dryRun=true', version('list')],
      ['DELETE', '?dryRun=true', undefined],
      ['POST', '/streams/terminate?dryRun=true', {}],
      ['PUT', '/grants/new?dryRun=yes', grant()],
      ['PUT', '/grants/new?dryrun=true', grant()],
      ['PUT', '/grants/new?dryRun=true&dryRun=false', grant()],
    ] as const) {
      const answer = await call(method, path, body, { 'if-match': '*' });
      expect(answer, path).toMatchObject({ status: 400, body: { errors: [{ in: 'query' }] } });
    }
    expect(await registry.store.lastSequence()).toBe(sequence);
  });
});
