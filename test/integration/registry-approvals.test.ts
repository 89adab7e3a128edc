// Approval of versions over real HTTP, on a real store: what waits, who may approve, and that nothing gets into service
// past it.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  adminToken,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { bytesOf, goodHeader, manifest2, publisherKey, signAs, tool } from '#test/support/manifest-world.ts';

let registry: TestRegistry;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

type Person = 'ada' | 'bob' | 'root';

type Difference = { readonly kind: string; readonly pointer: string; readonly needsApproval: boolean };

type Body = Answer['body'] & {
  readonly state: string;
  readonly served: boolean;
  readonly digest: string;
  readonly baseline?: string;
  readonly differences: readonly Difference[];
  readonly submissions: readonly { readonly actor: string }[];
  readonly keyRegistrations: readonly object[];
  readonly decision?: { readonly verdict: string; readonly actor: string; readonly reason: string };
  readonly review: Body;
};

const call = async (who: Person, method: string, path: string, body?: unknown, more: object = {}) => {
  const roles = who === 'root' ? ['platform-admin'] : [`admin:${tenant}`];
  const authorization = `Bearer ${await adminToken(roles, { sub: who })}`;
  const answer = await registry.call(method, `/v1/tenants/${tenant}${path}`, {
    roles: null,
    headers: { authorization, ...more },
    ...(body === undefined ? {} : { body }),
  });
  return answer as Answer & { readonly body: Body };
};

const etagOf = async (path: string): Promise<object> => {
  const { status, etag } = await call('ada', 'GET', path);
  return status === 200 ? { 'if-match': etag } : {};
};

const put = async (who: Person, path: string, body: unknown) =>
  call(who, 'PUT', path, body, path.includes('/versions/') ? {} : await etagOf(path));

const activate = async (who: Person, version: string) =>
  call(who, 'PUT', '/servers/tracker/active-version', { version }, await etagOf('/servers/tracker'));

const at = (version: string): string => `/servers/tracker/versions/${version}`;

const review = async (version: string): Promise<Body> =>
  (await call('ada', 'GET', `${at(version)}/review`)).body;

const decide = async (who: Person, action: 'approve' | 'reject', version: string, digest?: string) =>
  call(who, 'POST', `${at(version)}/${action}`, { digest: digest ?? (await review(version)).digest });

const principalOf = (who: Person): unknown => expect.stringContaining(who);

const SERVER = {
  displayName: 'Tracker',
  allowedHosts: ['tracker.example.com', 'other.example.com'],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
};

const TOOL = {
  name: 'create_issue',
  title: 'Create an issue',
  description: 'Creates an issue.',
  inputSchema: { type: 'object', properties: { project: { type: 'string' } } },
  annotations: { readOnlyHint: false },
  requiredScopes: ['issues.write'],
};
const LIST = { name: 'list_issues', inputSchema: { type: 'object' }, idempotent: true };

const version = (tools: readonly object[] = [TOOL, LIST], changes: object = {}) => ({
  endpoints: ['https://tracker.example.com/mcp'],
  protocolVersions: ['2025-11-25'],
  tools,
  ...changes,
});

const problem = ({ status, body }: Answer) => ({
  status,
  code: body.type?.replace('urn:mcpgw:problem:', ''),
  pointers: body.errors?.map(({ pointer }) => pointer),
});

const publish = async (name: string, content: object = version(), who: Person = 'ada'): Promise<void> => {
  expect((await put(who, at(name), content)).status).toBe(201);
};

/** 1.0.0 of ada, approved by bob and served. */
beforeEach(async () => {
  tenant = `tenant-${++count}`;
  const issuer = {
    kind: 'oidc',
    issuer: 'https://login.example.com',
    jwksUri: 'https://login.example.com/keys',
    relation: 'home',
  };
  const answers = [
    await put('root', '', { displayName: 'Acme', accessContact: '' }),
    await put('ada', '/issuers/home', issuer),
    await put('ada', '/servers/tracker', SERVER),
    await put('ada', at('1.0.0'), version()),
    await decide('bob', 'approve', '1.0.0'),
    await activate('ada', '1.0.0'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 200, 200]);
});

const KEY = publisherKey('team-1');

const registerTeam = (who: Person) =>
  put(who, '/publishers/team', {
    displayName: 'Team',
    keys: [{ kid: KEY.kid, jwk: KEY.jwk }],
    servers: ['tracker'],
  });

const sendManifest = async (changes: object): Promise<void> => {
  const bytes = bytesOf(manifest2({ tools: [tool('list_issues')], ...changes }));
  const signature = await signAs(KEY, bytes, goodHeader(KEY.kid, tenant, Math.floor(Date.now() / 1_000)));
  const response = await fetch(`${registry.url}/v1/tenants/${tenant}/manifests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-jws-signature': signature },
    body: new Uint8Array(bytes),
  });
  expect(response.status).toBe(201);
};

describe('a published version', () => {
  it.each<[string, object, string, string]>([
    [
      'with a new tool',
      version([TOOL, LIST, { ...LIST, name: 'close_issue' }]),
      'waiting',
      'tool-added /tools/close_issue',
    ],
    [
      'with a tool under another name',
      version([{ ...TOOL, name: 'make_issue' }, LIST]),
      'waiting',
      'tool-added /tools/make_issue',
    ],
    [
      'with other prose',
      version([{ ...TOOL, description: 'Creates one issue.' }, LIST]),
      'not-needed',
      'prose /tools/create_issue/description',
    ],
    [
      'with another title',
      version([{ ...TOOL, title: 'New issue' }, LIST]),
      'not-needed',
      'title /tools/create_issue/title',
    ],
    [
      'with an address in its prose',
      version([{ ...TOOL, description: 'See https://a.example/x' }, LIST]),
      'waiting',
      'link /tools/create_issue/description',
    ],
    [
      'with an order in its prose',
      version([{ ...TOOL, description: 'You must call this first.' }, LIST]),
      'waiting',
      'instruction /tools/create_issue/description',
    ],
    [
      'with another schema',
      version([
        { ...TOOL, inputSchema: { type: 'object', properties: { project: { type: 'number' } } } },
        LIST,
      ]),
      'waiting',
      'schema /tools/create_issue/inputSchema/properties/project/type',
    ],
    [
      'with an annotation turned over',
      version([{ ...TOOL, annotations: { readOnlyHint: true } }, LIST]),
      'waiting',
      'annotations /tools/create_issue/annotations/readOnlyHint',
    ],
    [
      'with idempotent turned over',
      version([{ ...TOOL, idempotent: true }, LIST]),
      'waiting',
      'idempotent /tools/create_issue/idempotent',
    ],
    [
      'with a required scope less',
      version([{ ...TOOL, requiredScopes: [] }, LIST]),
      'waiting',
      'requiredScopes /tools/create_issue/requiredScopes/0',
    ],
    [
      'that leads elsewhere',
      version([TOOL, LIST], { endpoints: ['https://other.example.com/mcp'] }),
      'waiting',
      'endpoints /endpoints/0',
    ],
    ['without a tool', version([LIST]), 'not-needed', 'tool-removed /tools/create_issue'],
    ['that is the same', version(), 'not-needed', ''],
  ])('%s', async (_name, content, state, expected) => {
    await publish('1.1.0', content);
    const seen = await review('1.1.0');
    expect(seen).toMatchObject({ state, served: false, baseline: '1.0.0' });
    const told = seen.differences.map(({ kind, pointer }) => `${kind} ${pointer}`);
    if (expected === '') expect(told).toEqual([]);
    else expect(told).toContain(expected);
    expect((await activate('ada', '1.1.0')).status).toBe(state === 'waiting' ? 409 : 200);
    const { body } = await call('ada', 'GET', '/servers/tracker');
    expect(body.activeVersion).toBe(state === 'waiting' ? '1.0.0' : '1.1.0');
  });

  it('is refused with a pointer to its review and to who may approve it, and without its digest', async () => {
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }, LIST]));
    const answer = await activate('ada', '1.1.0');
    expect(problem(answer)).toEqual({ status: 409, code: 'approval-required', pointers: ['/version'] });
    expect(answer.body).toMatchObject({
      state: 'waiting',
      review: `/v1/tenants/${tenant}/servers/tracker/versions/1.1.0/review`,
      approvers: { roles: [`admin:${tenant}`, 'platform-admin'], except: [principalOf('ada')] },
    });
    expect(JSON.stringify(answer.body)).not.toContain((await review('1.1.0')).digest);
  });

  it('goes into service once somebody else has approved it, and tells who it was', async () => {
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }, LIST]));
    const approved = await decide('bob', 'approve', '1.1.0');
    expect(approved).toMatchObject({ status: 200, body: { state: 'approved', baseline: '1.1.0' } });
    expect((await activate('ada', '1.1.0')).body.activeVersion).toBe('1.1.0');
    expect(await review('1.1.0')).toMatchObject({
      state: 'approved',
      served: true,
      differences: [],
      submissions: [{ actor: principalOf('ada') }],
      decision: { verdict: 'approved', actor: principalOf('bob'), reason: 'a test' },
    });
  });

  it('that passed with prose can be served again, whatever was approved since', async () => {
    await publish('1.1.0', version([{ ...TOOL, description: 'Other prose.' }, LIST]));
    expect((await activate('ada', '1.1.0')).status).toBe(200);
    await publish('2.0.0', version([{ ...TOOL, idempotent: true }, LIST]));
    await decide('bob', 'approve', '2.0.0');
    expect((await activate('ada', '2.0.0')).status).toBe(200);
    for (const back of ['1.1.0', '1.0.0']) expect((await activate('ada', back)).status).toBe(200);
  });

  it('does not become the baseline by passing: drift adds up', async () => {
    await publish('1.1.0', version([{ ...TOOL, description: 'Other prose.' }, LIST]));
    await activate('ada', '1.1.0');
    await publish('1.2.0', version([{ ...TOOL, description: 'Other prose again.' }, LIST]));
    expect((await review('1.2.0')).differences).toMatchObject([
      { kind: 'prose', before: 'Creates an issue.', after: 'Other prose again.' },
    ]);
  });
});

describe('what was approved', () => {
  it('is not forgotten while a tool is away', async () => {
    await publish('1.1.0', version([LIST]));
    await decide('bob', 'approve', '1.1.0');
    await activate('ada', '1.1.0');
    await publish('1.2.0');
    expect(await review('1.2.0')).toMatchObject({
      state: 'not-needed',
      differences: [{ kind: 'tool-returned' }],
    });
    await publish('1.3.0', version([{ ...TOOL, idempotent: true }, LIST]));
    expect(await review('1.3.0')).toMatchObject({
      state: 'waiting',
      differences: [{ kind: 'tool-returned' }, { kind: 'idempotent', before: false, after: true }],
    });
  });

  it('is not forgotten while the server is away, and means no other content under the same name', async () => {
    const remove = async () =>
      call('ada', 'DELETE', '/servers/tracker', undefined, await etagOf('/servers/tracker'));
    expect((await remove()).status).toBe(204);
    await put('ada', '/servers/tracker', SERVER);
    await publish('1.0.0');
    expect((await review('1.0.0')).state).toBe('approved');
    await remove();
    await put('ada', '/servers/tracker', SERVER);
    await publish('1.0.0', version([{ ...TOOL, idempotent: true }, LIST]));
    expect(await review('1.0.0')).toMatchObject({
      state: 'waiting',
      differences: [{ kind: 'idempotent', pointer: '/tools/create_issue/idempotent' }],
    });
    expect((await activate('ada', '1.0.0')).status).toBe(409);
  });

  it('is not what was refused, however often it comes', async () => {
    const changed = version([{ ...TOOL, idempotent: true }, LIST]);
    await publish('1.1.0', changed);
    await decide('bob', 'reject', '1.1.0');
    await publish('1.2.0', changed);
    expect(await review('1.2.0')).toMatchObject({ state: 'waiting', baseline: '1.0.0' });
  });
});

describe('four eyes', () => {
  it('are asked for in a new tenant, switched on by any admin, and off by a platform-admin only', async () => {
    expect((await call('ada', 'GET', '')).body).toMatchObject({ fourEyes: true });
    const patch = async (who: Person, fourEyes: boolean) =>
      call(who, 'PATCH', '', { fourEyes }, await etagOf(''));
    expect(problem(await patch('ada', false))).toEqual({
      status: 403,
      code: 'forbidden',
      pointers: ['/fourEyes'],
    });
    const settings = { displayName: 'Acme', accessContact: '', fourEyes: false };
    expect((await put('bob', '', settings)).status).toBe(403);
    expect((await call('ada', 'GET', '')).body).toMatchObject({ fourEyes: true });
    expect((await patch('root', false)).status).toBe(200);
    expect((await patch('ada', true)).status).toBe(200);
  });

  it('let nobody approve what he published, and everybody withdraw it', async () => {
    await publish('1.1.0', version([LIST], { endpoints: ['https://other.example.com/mcp'] }));
    expect(problem(await decide('ada', 'approve', '1.1.0'))).toMatchObject({
      status: 403,
      code: 'approver-is-author',
    });
    expect((await review('1.1.0')).state).toBe('waiting');
    expect((await decide('ada', 'reject', '1.1.0')).body.state).toBe('rejected');
  });

  it('let nobody approve what is signed with a key he registered', async () => {
    await registerTeam('ada');
    await sendManifest({ version: '1.1.0' });
    const seen = await review('1.1.0');
    expect(seen).toMatchObject({
      state: 'waiting',
      submissions: [{ actor: 'publisher:team#team-1', publisher: 'team', kid: 'team-1' }],
      keyRegistrations: [{ actor: principalOf('ada'), publisher: 'team', kid: 'team-1' }],
    });
    expect(problem(await decide('ada', 'approve', '1.1.0')).code).toBe('approver-is-author');
    expect((await decide('bob', 'approve', '1.1.0')).status).toBe(200);
  });

  it('hold against whoever published other content under the name before', async () => {
    await publish('1.1.0', version([LIST, { ...LIST, name: 'close_issue' }]), 'bob');
    await call('ada', 'DELETE', '/servers/tracker', undefined, await etagOf('/servers/tracker'));
    await put('ada', '/servers/tracker', SERVER);
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }]));
    for (const who of ['ada', 'bob'] as const)
      expect(problem(await decide(who, 'approve', '1.1.0')).code).toBe('approver-is-author');
    expect((await decide('root', 'approve', '1.1.0')).status).toBe(200);
  });
});

describe('without four eyes', () => {
  beforeEach(async () => {
    await call('root', 'PATCH', '', { fourEyes: false }, await etagOf(''));
  });

  it('to activate what one published oneself is an approval, and recorded as one', async () => {
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }, LIST]));
    expect((await activate('bob', '1.1.0')).status).toBe(409);
    expect((await activate('ada', '1.1.0')).status).toBe(200);
    expect(await review('1.1.0')).toMatchObject({
      state: 'approved',
      baseline: '1.1.0',
      decision: { verdict: 'approved', actor: principalOf('ada') },
    });
    const { body } = await call('ada', 'GET', '/audit?limit=1');
    expect(body.items).toMatchObject([{ action: 'approve and activate 1.1.0 of servers/tracker' }]);
  });

  it('a manifest still needs somebody who has read it', async () => {
    await registerTeam('ada');
    await sendManifest({ version: '1.1.0' });
    expect(problem(await activate('ada', '1.1.0')).code).toBe('approval-required');
    expect((await decide('ada', 'approve', '1.1.0')).status).toBe(200);
    expect((await activate('ada', '1.1.0')).status).toBe(200);
  });

  it('what was rejected is not activated by its author either', async () => {
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }, LIST]));
    await decide('bob', 'reject', '1.1.0');
    expect((await activate('ada', '1.1.0')).body).toMatchObject({ state: 'rejected' });
  });
});

describe('what a manifest asks for', () => {
  it.each([
    ['upstreamAuth', { upstreamAuth: { mode: 'obo', scopes: ['api://x/.default'] } }],
    ['health', { health: { path: '/healthz' } }],
  ])('waits: %s', async (field, changes) => {
    await registerTeam('ada');
    await sendManifest({ version: '1.1.0' });
    await decide('bob', 'approve', '1.1.0');
    await sendManifest({ version: '1.2.0', ...changes });
    expect(await review('1.2.0')).toMatchObject({
      state: 'waiting',
      differences: [{ kind: field, pointer: `/${field}`, change: 'added', needsApproval: true }],
    });
  });
});

describe('a decision', () => {
  const changed = (...names: string[]) => version([TOOL, LIST, ...names.map((name) => ({ ...LIST, name }))]);

  it('about what has moved is refused, with the review as it is now', async () => {
    await publish('1.1.0', changed('a_one'));
    await publish('1.2.0', changed('a_one', 'b_two'));
    const stale = (await review('1.2.0')).digest;
    await decide('bob', 'approve', '1.1.0');
    const answer = await decide('bob', 'approve', '1.2.0', stale);
    expect(problem(answer)).toEqual({
      status: 409,
      code: 'approval-digest-mismatch',
      pointers: ['/digest'],
    });
    expect(answer.body.review).toMatchObject({ state: 'waiting', baseline: '1.1.0' });
    expect(answer.body.review.differences.map(({ pointer }) => pointer)).toEqual(['/tools/b_two']);
    expect((await decide('bob', 'approve', '1.2.0', answer.body.review.digest)).status).toBe(200);
  });

  it('of two at once about one baseline is one, and the other is told', async () => {
    await publish('1.1.0', changed('a_one'));
    await publish('1.2.0', changed('b_two'));
    const digests = [(await review('1.1.0')).digest, (await review('1.2.0')).digest];
    const answers = await Promise.all(
      ['1.1.0', '1.2.0'].map((name, index) => decide('bob', 'approve', name, digests[index])),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it('makes no revision and one audit record, which names what was seen', async () => {
    await publish('1.1.0', changed('a_one'));
    const before = (await call('ada', 'GET', '')).body.revision;
    const { digest } = await review('1.1.0');
    for (let times = 0; times < 2; times += 1)
      expect((await decide('bob', 'approve', '1.1.0', digest)).status).toBe(200);
    expect((await call('ada', 'GET', '')).body.revision).toBe(before);
    const { body } = await call('ada', 'GET', '/audit?limit=2');
    expect(body.items).toMatchObject([
      {
        action: `approve servers/tracker/versions/1.1.0 sha256:${digest}`,
        actor: principalOf('bob'),
        reason: 'a test',
      },
      { action: 'publish servers/tracker/versions/1.1.0' },
    ]);
    expect(await registry.store.findAuditFault()).toBeUndefined();
  });

  it('sent again under its Idempotency-Key is answered as it was', async () => {
    await publish('1.1.0', changed('a_one'));
    const { digest } = await review('1.1.0');
    const send = () =>
      call('bob', 'POST', `${at('1.1.0')}/approve`, { digest }, { 'idempotency-key': `approve-${tenant}` });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
  });

  it('to reject keeps a version out of service until it is approved', async () => {
    await publish('1.1.0', version([{ ...TOOL, title: 'Prose only' }, LIST]));
    await decide('bob', 'reject', '1.1.0');
    const answer = await activate('ada', '1.1.0');
    expect(problem(answer).code).toBe('approval-required');
    expect(answer.body).toMatchObject({ state: 'rejected' });
    await decide('bob', 'approve', '1.1.0');
    expect((await activate('ada', '1.1.0')).status).toBe(200);
  });

  it('does not reject what is served', async () => {
    expect(problem(await decide('bob', 'reject', '1.0.0'))).toMatchObject({
      status: 409,
      code: 'version-in-service',
    });
    expect(await review('1.0.0')).toMatchObject({ state: 'approved', served: true });
  });

  it('and an activation at the same moment never leave a rejected version in service', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const name = `1.${round}.0`;
      await publish(name, version([{ ...TOOL, title: `Round ${round}` }, LIST]));
      await Promise.all([activate('ada', name), decide('bob', 'reject', name)]);
      const { state, served } = await review(name);
      expect([state, served], name).not.toEqual(['rejected', true]);
    }
  });
});

describe('a restore', () => {
  it('names what it would serve without approval, and serves nothing of it', async () => {
    const former = (await call('ada', 'GET', '')).body.revision;
    await publish('1.1.0', version([{ ...TOOL, title: 'Prose' }, LIST]));
    await activate('ada', '1.1.0');
    await decide('bob', 'reject', '1.0.0');
    for (const query of ['', '?dryRun=true']) {
      const answer = await call(
        'ada',
        'POST',
        `/revisions/${former}/restore${query}`,
        undefined,
        await etagOf(''),
      );
      expect(problem(answer)).toMatchObject({ status: 409, code: 'conflict' });
      expect(answer.body.errors.map(({ message }) => message)).toEqual([
        `servers/tracker/versions/1.0.0: was rejected: /v1/tenants/${tenant}/servers/tracker/versions/1.0.0/review`,
      ]);
    }
    expect((await call('ada', 'GET', '/servers/tracker')).body.activeVersion).toBe('1.1.0');
    await decide('bob', 'approve', '1.0.0');
    const restored = await call('ada', 'POST', `/revisions/${former}/restore`, undefined, await etagOf(''));
    expect(restored.status).toBe(200);
    expect((await call('ada', 'GET', '/servers/tracker')).body.activeVersion).toBe('1.0.0');
  });

  it('does not switch four eyes off', async () => {
    await call('root', 'PATCH', '', { fourEyes: false }, await etagOf(''));
    const off = (await call('ada', 'GET', '')).body.revision;
    await call('ada', 'PATCH', '', { fourEyes: true }, await etagOf(''));
    const answer = await call('ada', 'POST', `/revisions/${off}/restore`, undefined, await etagOf(''));
    expect(answer).toMatchObject({ status: 200, body: { stillDifferent: ['tenant: changed fourEyes'] } });
    expect((await call('ada', 'GET', '')).body).toMatchObject({ fourEyes: true });
  });
});

describe('the list of approvals', () => {
  it('shows what waits, page by page, and what does not', async () => {
    for (const name of ['1.1.0', '1.2.0', '1.3.0'])
      await publish(name, version([{ ...TOOL, idempotent: true }, LIST]));
    await decide('bob', 'reject', '1.3.0');
    const list = async (query = '') =>
      (await call('ada', 'GET', `/approvals${query}`)).body.items as unknown as {
        version: string;
        links: { review: string };
      }[];
    const names = async (query?: string) => (await list(query)).map((item) => item.version);
    expect(await names()).toEqual(['1.1.0', '1.2.0']);
    expect(await names('?limit=1')).toEqual(['1.1.0']);
    expect(await names('?limit=1&after=tracker/1.1.0')).toEqual(['1.2.0']);
    expect(await names('?state=rejected')).toEqual(['1.3.0']);
    expect(await names('?state=approved')).toEqual(['1.0.0']);
    expect(await names('?state=not-needed')).toEqual([]);
    expect(await names('?server=reports')).toEqual([]);
    const page = await call('ada', 'GET', '/approvals?limit=1&server=tracker');
    expect(page.headers.get('link')).toBe(
      `</v1/tenants/${tenant}/approvals?limit=1&server=tracker&after=tracker%2F1.1.0>; rel="next"`,
    );
    const [first] = await list('?server=tracker');
    const path = first?.links.review.replace(`/v1/tenants/${tenant}`, '') ?? '';
    expect((await call('ada', 'GET', path)).body).toMatchObject({ version: '1.1.0', state: 'waiting' });
  });
});

describe('bad input', () => {
  const DIGEST = 'a'.repeat(64);

  it.each<[string, unknown, string]>([
    ['no digest', {}, '/digest'],
    ['a digest that is none', { digest: 'A'.repeat(64) }, '/digest'],
    ['a field nobody knows', { digest: DIGEST, force: true }, '/force'],
    ['an empty reason', { digest: DIGEST, reason: '' }, '/reason'],
    ['no object', [], ''],
  ])('%s is refused where it stands', async (_name, body, pointer) => {
    for (const action of ['approve', 'reject']) {
      const answer = await call('bob', 'POST', `${at('1.0.0')}/${action}`, body);
      expect(problem(answer)).toEqual({ status: 400, code: 'invalid-request', pointers: [pointer] });
    }
  });

  it.each(['?state=open', '?limit=0', '?limit=201', '?after=x', '?server=A', '?other=1'])(
    'the list refuses %s',
    async (query) => {
      const answer = await call('ada', 'GET', `/approvals${query}`);
      const pointer = `/${/\w+/.exec(query)?.[0]}`;
      expect(problem(answer)).toEqual({ status: 400, code: 'invalid-request', pointers: [pointer] });
      expect(answer.body.errors).toMatchObject([{ in: 'query' }]);
    },
  );

  it('a version, a server or a tenant that is not there is not found', async () => {
    for (const path of [at('9.9.9'), '/servers/none/versions/1.0.0']) {
      expect((await call('bob', 'GET', `${path}/review`)).status).toBe(404);
      expect((await call('bob', 'POST', `${path}/approve`, { digest: DIGEST })).status).toBe(404);
    }
    tenant = 'nowhere';
    expect((await call('root', 'GET', '/approvals')).status).toBe(404);
  });

  it('another digest than that of the review approves nothing', async () => {
    await publish('1.1.0', version([{ ...TOOL, idempotent: true }, LIST]));
    expect(problem(await decide('bob', 'approve', '1.1.0', DIGEST)).code).toBe('approval-digest-mismatch');
    const { digest } = await review('1.0.0');
    expect((await decide('bob', 'approve', '1.1.0', digest)).status).toBe(409);
    expect((await review('1.1.0')).state).toBe('waiting');
  });
});
