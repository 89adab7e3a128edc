// Signed manifests over real HTTP on a real store: what is published serves nothing, what is not right is refused by
// its own name, and nothing of a refused one is left behind.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  adminToken,
  answerFrom,
  PUBLIC_URL,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import {
  bytesOf,
  goodHeader,
  manifest1,
  manifest2,
  publisherKey,
  signAs,
  tool,
  withHeader,
} from '#test/support/manifest-world.ts';

type Problem = {
  readonly type: string;
  readonly status: number;
  readonly errors: readonly { readonly pointer: string; readonly message: string; readonly in?: string }[];
};

type Sent = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Problem & Record<string, unknown>;
};

const TEAM = publisherKey('team-1');
const NEXT = publisherKey('team-2');
const OTHER = publisherKey('other-1');
const STRANGER = publisherKey('team-1');

let registry: TestRegistry;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

const server = (host: string) => ({
  displayName: 'Server',
  allowedHosts: [host],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: [`api://${host}`] }],
});

const admin = async (method: string, path: string, body?: unknown) => {
  const at = `/v1/tenants/${tenant}${path}`;
  const current = path.startsWith('/servers/tracker/active') ? '/servers/tracker' : path;
  const { etag } = await registry.call('GET', `/v1/tenants/${tenant}${current}`);
  const headers: Record<string, string> = etag === '' ? {} : { 'if-match': etag };
  return registry.call(method, at, { ...(body === undefined ? {} : { body }), headers });
};

const team = (keys: object[], servers: readonly string[] = ['tracker']) => ({
  displayName: 'Team',
  keys,
  servers,
});

beforeEach(async () => {
  tenant = `tenant-${++count}`;
  const answers = [
    await admin('PUT', '', { displayName: 'Acme', accessContact: '', fourEyes: false }),
    await admin('PUT', '/issuers/home', {
      kind: 'oidc',
      issuer: 'https://login.example.com',
      jwksUri: 'https://login.example.com/keys',
      relation: 'home',
    }),
    await admin('PUT', '/servers/tracker', server('tracker.example.com')),
    await admin('PUT', '/servers/reports', server('reports.example.com')),
    await admin('PUT', '/publishers/team', team([{ kid: TEAM.kid, jwk: TEAM.jwk }])),
    await admin('PUT', '/publishers/other', team([{ kid: OTHER.kid, jwk: OTHER.jwk }], ['reports'])),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
});

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

const post = async (bytes: Buffer, signature: string | undefined, query = ''): Promise<Sent> => {
  const response = await fetch(`${registry.url}/v1/tenants/${tenant}/manifests${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature === undefined ? {} : { 'x-jws-signature': signature }),
    },
    body: new Uint8Array(bytes),
  });
  const { status, headers, body } = await answerFrom('POST', response);
  return { status, headers, body: body as unknown as Sent['body'] };
};

type Signing = { readonly key?: typeof TEAM; readonly header?: object; readonly query?: string };

const publish = async (manifest: unknown, { key = TEAM, header = {}, query = '' }: Signing = {}) => {
  const bytes = bytesOf(manifest);
  const signature = await signAs(key, bytes, { ...goodHeader(key.kid, tenant, nowSeconds()), ...header });
  return post(bytes, signature, query);
};

const problem = ({ status, body }: Sent) => ({
  status,
  code: body.type?.replace('urn:mcpgw:problem:', ''),
  pointers: body.errors?.map((fault) => fault.pointer),
});

const versions = async (serverId = 'tracker'): Promise<unknown[]> => [
  ...(await admin('GET', `/servers/${serverId}/versions`)).body.items,
];

const approveAndActivate = async (version: string): Promise<void> => {
  const at = `/servers/tracker/versions/${version}`;
  const { digest } = (await admin('GET', `${at}/review`)).body as unknown as { readonly digest: string };
  expect((await admin('POST', `${at}/approve`, { digest })).status).toBe(200);
  expect((await admin('PUT', '/servers/tracker/active-version', { version })).status).toBe(200);
};

describe('a signed manifest', () => {
  it('becomes a version that serves nothing until an admin has approved and activated it', async () => {
    const manifest = manifest2({ upstreamAuth: { mode: 'obo', scopes: ['api://tracker/.default'] } });
    const sent = await publish(manifest);
    expect(sent).toMatchObject({
      status: 201,
      body: { server: 'tracker', version: '1.0.0', publisher: 'team', kid: 'team-1', warnings: [] },
    });
    expect(sent.headers.get('location')).toBe(`/v1/tenants/${tenant}/servers/tracker/versions/1.0.0`);
    const before = await admin('GET', '/servers/tracker');
    expect(before.body).toMatchObject({
      activeVersion: '',
      versions: ['1.0.0'],
      upstreamAuth: { mode: 'none', scopes: [] },
    });
    const refused = await admin('PUT', '/servers/tracker/active-version', { version: '1.0.0' });
    expect(refused).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:approval-required' } });
    await approveAndActivate('1.0.0');
    expect((await admin('GET', '/servers/tracker')).body.activeVersion).toBe('1.0.0');
    expect(await versions()).toEqual([
      expect.objectContaining({
        endpoints: manifest.endpoints,
        tools: [expect.objectContaining({ requiredScopes: ['issues.read'], idempotent: false })],
      }),
    ]);
  });

  it('leaves the version that is served where it is', async () => {
    await publish(manifest2());
    await approveAndActivate('1.0.0');
    expect((await publish(manifest2({ version: '1.1.0' }))).status).toBe(201);
    expect((await admin('GET', '/servers/tracker')).body).toMatchObject({
      activeVersion: '1.0.0',
      versions: ['1.0.0', '1.1.0'],
    });
  });

  it('is kept byte for byte with its signature, and found in history under its publisher', async () => {
    const bytes = bytesOf(`${JSON.stringify(manifest2(), null, 3)}\n\n`);
    const signature = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, nowSeconds()));
    await post(bytes, signature);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const listed = await registry.call('GET', `/v1/tenants/${tenant}/manifests`);
    expect(listed.body.items).toEqual([
      expect.objectContaining({
        server: 'tracker',
        version: '1.0.0',
        digest,
        publisher: 'team',
        kid: 'team-1',
      }),
    ]);
    const authorization = `Bearer ${await adminToken([`auditor:${tenant}`])}`;
    const read = await fetch(`${registry.url}/v1/tenants/${tenant}/manifests/${digest}`, {
      headers: { authorization },
    });
    expect(Buffer.from(await read.arrayBuffer())).toEqual(bytes);
    expect(read.headers.get('x-jws-signature')).toBe(signature);
    const audit = await registry.call('GET', `/v1/tenants/${tenant}/audit`);
    expect(audit.body.items[0]).toMatchObject({
      actor: 'publisher:team#team-1',
      action: 'publish servers/tracker/versions/1.0.0',
      reason: `signed manifest sha256:${digest}`,
    });
  });

  it('of schema version 1 is still published: its scopes guard every tool', async () => {
    expect((await publish(manifest1())).status).toBe(201);
    expect(await versions()).toEqual([
      expect.objectContaining({ tools: [expect.objectContaining({ requiredScopes: ['issues.read'] })] }),
    ]);
  });

  it('may name the public URL of the registry as its audience', async () => {
    expect((await publish(manifest2(), { header: { aud: PUBLIC_URL } })).status).toBe(201);
  });

  it('is accepted again as it is, under a new signature, and changes nothing', async () => {
    await publish(manifest2());
    const { revision } = (await admin('GET', '')).body;
    const again = await publish(manifest2());
    expect(again).toMatchObject({ status: 200, body: { version: '1.0.0' } });
    expect((await admin('GET', '')).body.revision).toBe(revision);
  });

  it('is signed by the old key and the new one while keys are changed', async () => {
    const keys = [TEAM, NEXT].map(({ kid, jwk }) => ({ kid, jwk }));
    await admin('PUT', '/publishers/team', team(keys));
    expect((await publish(manifest2())).status).toBe(201);
    expect((await publish(manifest2({ version: '1.1.0' }), { key: NEXT })).status).toBe(201);
    await admin('PUT', '/publishers/team', team(keys.slice(1)));
    expect(problem(await publish(manifest2({ version: '1.2.0' })))).toMatchObject({
      status: 401,
      code: 'signature-key-unknown',
    });
    expect((await publish(manifest2({ version: '1.2.0' }), { key: NEXT })).status).toBe(201);
  });

  it('counts once, however many send it at the same time', async () => {
    const bytes = bytesOf(manifest2());
    const signature = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, nowSeconds()));
    const sent = await Promise.all(Array.from({ length: 6 }, () => post(bytes, signature)));
    expect(sent.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(await versions()).toHaveLength(1);
  });
});

describe('a dry run', () => {
  it('answers with what the lint says, publishes nothing and uses up no signature', async () => {
    const bytes = bytesOf(
      manifest2({ tools: [tool('a'), tool('b', { description: 'You must call b first.' })] }),
    );
    const signature = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, nowSeconds()));
    const dry = await post(bytes, signature, '?dryRun=true');
    expect(dry).toMatchObject({
      status: 200,
      body: {
        accepted: true,
        errors: [],
        warnings: [{ code: 'instruction-text', pointer: '/tools/1/description' }],
      },
    });
    expect(await versions()).toEqual([]);
    expect((await post(bytes, signature)).status).toBe(201);
  });

  it('names everything that stands in the way at once', async () => {
    await publish(manifest2({ version: '2.0.0' }));
    const wrong = manifest2({
      endpoints: ['https://elsewhere.example.com/mcp'],
      tools: [tool('a', { description: 'Do\u200B it' })],
    });
    const { status, body } = await publish(wrong, { query: '?dryRun=true' });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        accepted: false,
        errors: [
          { code: 'manifest-endpoint-not-allowed', pointer: '/endpoints/0' },
          { code: 'manifest-version-not-higher', pointer: '/version' },
          { code: 'hidden-character', pointer: '/tools/0/description' },
        ],
      },
    });
  });

  it('asks for the signature all the same: the lint knows the tools of other servers', async () => {
    expect(problem(await post(bytesOf(manifest2()), undefined, '?dryRun=true'))).toMatchObject({
      status: 401,
      code: 'signature-missing',
    });
  });
});

const IN_HEADER = (parameter: string) => [`/x-jws-signature/${parameter}`];

const nested = (depth: number): object => (depth === 0 ? { type: 'string' } : { items: nested(depth - 1) });

describe('is refused by its own name, and leaves nothing behind:', () => {
  const now = nowSeconds();

  it.each<[string, object, number, string, string[]]>([
    ['alg none', { alg: 'none' }, 400, 'signature-parameter-invalid', IN_HEADER('alg')],
    ['a symmetric alg', { alg: 'HS256' }, 400, 'signature-parameter-invalid', IN_HEADER('alg')],
    ['an alg the key is not for', { alg: 'ES384' }, 400, 'signature-parameter-invalid', IN_HEADER('alg')],
    ['another typ', { typ: 'JWT' }, 400, 'signature-parameter-invalid', IN_HEADER('typ')],
    ['an encoded payload', { b64: true }, 400, 'signature-parameter-invalid', IN_HEADER('b64')],
    ['no crit', { crit: undefined }, 400, 'signature-parameter-invalid', IN_HEADER('crit')],
    ['an extension', { crit: ['exp'] }, 400, 'signature-parameter-invalid', IN_HEADER('crit/0')],
    ['an unknown parameter', { jku: 'https://a' }, 400, 'signature-parameter-invalid', IN_HEADER('jku')],
    ['no exp', { exp: undefined }, 400, 'signature-parameter-invalid', IN_HEADER('exp')],
    ['no jti', { jti: undefined }, 400, 'signature-parameter-invalid', IN_HEADER('jti')],
    ['a path as kid', { kid: '../../etc/passwd' }, 400, 'signature-parameter-invalid', IN_HEADER('kid')],
    ['an unknown kid', { kid: 'nobody' }, 401, 'signature-key-unknown', IN_HEADER('kid')],
    [
      'the audience of another tenant',
      { aud: 'urn:mcpgw:tenant:b' },
      401,
      'signature-audience-mismatch',
      IN_HEADER('aud'),
    ],
    ['an expired signature', { iat: now - 900, exp: now - 300 }, 401, 'signature-expired', IN_HEADER('exp')],
    [
      'a signature of tomorrow',
      { iat: now + 3_600, exp: now + 7_200 },
      401,
      'signature-not-yet-valid',
      IN_HEADER('iat'),
    ],
    ['a signature for two days', { exp: now + 172_800 }, 400, 'signature-too-long-lived', IN_HEADER('exp')],
    [
      'an end before the beginning',
      { exp: now - 5, iat: now },
      400,
      'signature-too-long-lived',
      IN_HEADER('exp'),
    ],
  ])('a header with %s', async (_name, changes, status, code, pointers) => {
    const bytes = bytesOf(manifest2());
    const good = goodHeader(TEAM.kid, tenant, now);
    const wrong = { ...good, ...changes };
    // What no honest signer signs is put over the signature of another header.
    const signature = await signAs(TEAM, bytes, wrong).catch(async () =>
      withHeader(await signAs(TEAM, bytes, good), wrong),
    );
    expect(problem(await post(bytes, signature))).toEqual({ status, code, pointers });
    expect(await versions()).toEqual([]);
  });

  it.each<[string, string | undefined, number, string]>([
    ['none', undefined, 401, 'signature-missing'],
    ['text', 'hello', 400, 'signature-malformed'],
    ['a JWS that is not detached', 'aa.bb.cc', 400, 'signature-malformed'],
    ['no JSON', `${Buffer.from('{').toString('base64url')}..AA`, 400, 'signature-malformed'],
    [
      'a repeated parameter',
      `${Buffer.from('{"alg":"ES256","alg":"none"}').toString('base64url')}..AA`,
      400,
      'signature-malformed',
    ],
  ])('a signature that is %s', async (_name, signature, status, code) => {
    expect(problem(await post(bytesOf(manifest2()), signature))).toEqual({
      status,
      code,
      pointers: ['/x-jws-signature'],
    });
  });

  it('bytes that were changed after signing, by as little as a space', async () => {
    const bytes = bytesOf(manifest2());
    const signature = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, now));
    const sent = await post(Buffer.concat([bytes, Buffer.from(' ')]), signature);
    expect(problem(sent)).toMatchObject({ status: 401, code: 'signature-invalid' });
    expect(sent.headers.get('www-authenticate')).toContain('Signature');
  });

  it('the right kid over the wrong key', async () => {
    expect(problem(await publish(manifest2(), { key: STRANGER }))).toMatchObject({
      status: 401,
      code: 'signature-invalid',
    });
  });

  it('the right key for another server', async () => {
    expect(problem(await publish(manifest2(), { key: OTHER }))).toEqual({
      status: 403,
      code: 'manifest-publisher-not-bound',
      pointers: ['/server'],
    });
    expect(await versions()).toEqual([]);
  });

  it.each([
    ['not yet valid', { notBefore: '2999-01-01T00:00:00Z' }],
    ['no longer valid', { notAfter: '2020-01-01T00:00:00Z' }],
  ])('a key that is %s', async (_name, times) => {
    await admin('PUT', '/publishers/team', team([{ kid: TEAM.kid, jwk: TEAM.jwk, ...times }]));
    expect(problem(await publish(manifest2()))).toEqual({
      status: 401,
      code: 'signature-key-out-of-time',
      pointers: IN_HEADER('kid'),
    });
  });

  it('a tenant that does not exist, in the words for a key that is not known', async () => {
    const before = tenant;
    tenant = 'nobody';
    expect(problem(await publish(manifest2()))).toMatchObject({ status: 401, code: 'signature-key-unknown' });
    tenant = before;
  });

  it('a signature that was used before, also one that published nothing new', async () => {
    const bytes = bytesOf(manifest2());
    const first = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, now));
    const second = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, now));
    const sent = [];
    for (const signature of [first, first, second, second]) sent.push(problem(await post(bytes, signature)));
    expect(sent.map(({ status }) => status)).toEqual([201, 409, 200, 409]);
    expect(sent[1]).toMatchObject({ code: 'signature-replayed', pointers: IN_HEADER('jti') });
  });

  it.each(['1.2.0', '1.1.9', '1.2.0-rc.1', '1.2.0+build.2', '0.9.9'])(
    'version %s after 1.2.0',
    async (version) => {
      await publish(manifest2({ version: '1.2.0' }));
      const sent = await publish(manifest2({ version, tools: [] }));
      const code = version === '1.2.0' ? 'manifest-version-taken' : 'manifest-version-not-higher';
      expect(problem(sent)).toEqual({ status: 409, code, pointers: ['/version'] });
      expect(await versions()).toHaveLength(1);
    },
  );

  it('a version below one an admin published', async () => {
    const { server: _s, owner: _o, schemaVersion: _v, ...version } = manifest2();
    await admin('PUT', '/servers/tracker/versions/3.0.0', { ...version, version: '3.0.0' });
    expect(problem(await publish(manifest2({ version: '3.0.0' })))).toMatchObject({
      code: 'manifest-version-not-higher',
    });
  });

  it('an older version after the server was removed and made again', async () => {
    await publish(manifest2({ version: '1.2.0' }));
    await admin('PUT', '/publishers/team', team([{ kid: TEAM.kid, jwk: TEAM.jwk }], []));
    expect((await admin('DELETE', '/servers/tracker')).status).toBe(204);
    await admin('PUT', '/servers/tracker', server('tracker.example.com'));
    await admin('PUT', '/publishers/team', team([{ kid: TEAM.kid, jwk: TEAM.jwk }]));
    expect(await versions()).toEqual([]);
    for (const version of ['1.1.0', '1.2.0'])
      expect(problem(await publish(manifest2({ version })))).toMatchObject({
        status: 409,
        code: 'manifest-version-not-higher',
      });
    expect((await publish(manifest2({ version: '1.2.1' }))).status).toBe(201);
  });

  it.each<[string, unknown, number, string, string[]]>([
    ['no JSON', '{"schemaVersion":', 400, 'manifest-not-json', ['']],
    ['a list', '[]', 400, 'manifest-not-json', ['']],
    ['a repeated key', '{"schemaVersion":"2","schemaVersion":"1"}', 400, 'manifest-not-json', ['']],
    ['no schemaVersion', { server: 'tracker' }, 422, 'manifest-schema-version-unknown', ['/schemaVersion']],
    [
      'a newer schemaVersion',
      manifest2({ schemaVersion: '3' }),
      422,
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
    [
      'a number as schemaVersion',
      manifest2({ schemaVersion: 2 }),
      422,
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
    ['an unknown field', manifest2({ surprise: 1 }), 422, 'manifest-invalid', ['/surprise']],
    [
      'a field of a tool nobody knows',
      manifest2({ tools: [tool('a', { run: 'x' })] }),
      422,
      'manifest-invalid',
      ['/tools/0/run'],
    ],
    ['the scopes of version 1 in version 2', manifest2({ scopes: [] }), 422, 'manifest-invalid', ['/scopes']],
    ['a version without precedence', manifest2({ version: 'latest' }), 422, 'manifest-invalid', ['/version']],
    [
      'a version with a leading zero',
      manifest2({ version: '1.02.0' }),
      422,
      'manifest-invalid',
      ['/version'],
    ],
    [
      '10,000 tools',
      manifest2({
        tools: Array.from({ length: 10_000 }, (_, n) => ({ name: `t${n}`, inputSchema: { type: 'object' } })),
      }),
      422,
      'manifest-invalid',
      ['/tools'],
    ],
    [
      'two tools of one name',
      manifest2({ tools: [tool('a'), tool('a')] }),
      422,
      'manifest-lint-failed',
      ['/tools/1/name'],
    ],
    [
      'a schema nested 200 deep',
      manifest2({ tools: [tool('a', { inputSchema: { type: 'object', ...nested(200) } })] }),
      400,
      'manifest-not-json',
      [''],
    ],
    [
      'a schema nested 40 deep',
      manifest2({ tools: [tool('a', { inputSchema: { type: 'object', ...nested(40) } })] }),
      422,
      'manifest-lint-failed',
      ['/tools/0/inputSchema'],
    ],
    [
      'a host outside allowedHosts',
      manifest2({ endpoints: ['https://evil.example.com/mcp'] }),
      422,
      'manifest-endpoint-not-allowed',
      ['/endpoints/0'],
    ],
    [
      'another port of an allowed host',
      manifest2({ endpoints: ['https://tracker.example.com:8443/mcp'] }),
      422,
      'manifest-endpoint-not-allowed',
      ['/endpoints/0'],
    ],
    [
      'credentials in an endpoint',
      manifest2({ endpoints: ['https://a:b@tracker.example.com/mcp'] }),
      422,
      'manifest-endpoint-not-allowed',
      ['/endpoints/0'],
    ],
  ])('a manifest with %s', async (_name, manifest, status, code, pointers) => {
    const sent = problem(await publish(manifest));
    expect(sent).toMatchObject({ status, code });
    expect([...new Set(sent.pointers)]).toEqual(pointers);
    expect(await versions()).toEqual([]);
  });

  it('a private address that the server allows and the deployment does not', async () => {
    await admin('PUT', '/servers/tracker', server('169.254.169.254'));
    const sent = await publish(manifest2({ endpoints: ['http://169.254.169.254/mcp'] }));
    expect(problem(sent)).toMatchObject({
      code: 'manifest-endpoint-not-allowed',
      pointers: ['/endpoints/0'],
    });
  });

  it('ten megabytes, unread', async () => {
    const sent = await post(Buffer.alloc(10 * 1024 * 1024, 0x20), 'aa..bb');
    expect(problem(sent)).toMatchObject({ status: 413, code: 'body-too-large' });
  });
});

describe('the route', () => {
  it('takes bytes, and no other media type', async () => {
    const bytes = bytesOf(manifest2());
    const signature = await signAs(TEAM, bytes, goodHeader(TEAM.kid, tenant, nowSeconds()));
    const send = (type: string) =>
      fetch(`${registry.url}/v1/tenants/${tenant}/manifests`, {
        method: 'POST',
        headers: { 'content-type': type, 'x-jws-signature': signature },
        body: new Uint8Array(bytes),
      });
    expect((await send('text/plain')).status).toBe(415);
    expect((await send('application/octet-stream')).status).toBe(201);
    const elsewhere = await registry.call('PUT', `/v1/tenants/${tenant}/grants/a`, {
      body: '{}',
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(elsewhere.status).toBe(415);
  });

  it('shows manifests to readers of the tenant only', async () => {
    await publish(manifest2());
    const path = `/v1/tenants/${tenant}/manifests`;
    expect((await registry.call('GET', path, { roles: null })).status).toBe(401);
    expect((await registry.call('GET', path, { roles: ['admin:elsewhere'] })).status).toBe(403);
    expect((await registry.call('GET', path, { roles: [`auditor:${tenant}`] })).status).toBe(200);
  });

  it('lets nobody guess without end', async () => {
    const own = await startTestRegistry();
    const send = () =>
      fetch(`${own.url}/v1/tenants/t/manifests`, { method: 'POST', body: new Uint8Array(1) });
    let answer = await send();
    for (let tries = 0; tries < 400 && answer.status !== 429; tries += 1) answer = await send();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ type: 'urn:mcpgw:problem:too-many-requests' });
    await own.stop();
  });
});
