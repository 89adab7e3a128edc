// Kill switches over real HTTP, on a real store; and the commands of docs/operations.md, run as they stand.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeTenant } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { putKillSwitch } from '#registry/commands/kill-switch.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import type { Store } from '#registry/store/store.ts';
import {
  type Answer,
  adminToken,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { ROOT } from '#test/support/product-process.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const OPERATIONS = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
const EMERGENCY = /## Emergency[\s\S]*?```sh\n([\s\S]*?)```/.exec(OPERATIONS)?.[1] ?? '';

let registry: TestRegistry;
let count = 0;
/** A tenant of its own for every test, furnished in six revisions. */
let tenant = '';

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

const DIRECTORY = '11111111-1111-4111-8111-111111111111';
const ISSUER = {
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  jwksUri: 'https://login.example.com/keys',
  relation: 'home',
  directoryTenants: [DIRECTORY],
};
const PRINCIPAL = JSON.stringify([
  `https://login.example.com/${DIRECTORY}/v2.0`,
  DIRECTORY,
  'object-mallory',
]);

const server = (id: string) => ({
  displayName: id,
  allowedHosts: [`${id}.example.com`],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'contoso', audiences: [`api://${id}`] }],
});

const version = (id: string, ...tools: string[]) => ({
  endpoints: [`https://${id}.example.com/mcp`],
  protocolVersions: ['2025-11-25'],
  tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
});

type Options = { readonly headers?: Record<string, string>; readonly roles?: readonly string[] };

const call = (method: string, path: string, body?: unknown, options: Options = {}): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, {
    ...(body === undefined ? {} : { body }),
    ...options,
  });

const SERVER_OFF = { target: { kind: 'server', serverId: 'tracker' } };
const TENANT_OFF = { target: { kind: 'tenant' } };

const put = (id: string, body: object, options: Options = {}) =>
  call('PUT', `/kill-switches/${id}`, body, options);
const read = (id: string) => call('GET', `/kill-switches/${id}`);
const release = (id: string, ifMatch?: string, options: Options = {}) =>
  call('DELETE', `/kill-switches/${id}`, undefined, {
    ...options,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
  });

const revisionNow = async (): Promise<number> => (await call('GET', '')).body.revision;
const pointers = ({ body }: Answer) => body.errors.map(({ pointer }) => pointer);
const later = (ms: number): string => new Date(Date.now() + ms).toISOString();

beforeEach(async () => {
  count += 1;
  tenant = `tenant-${count}`;
  const answers = [
    await call('PUT', '', { displayName: 'Acme', accessContact: '' }),
    await call('PUT', '/issuers/contoso', ISSUER),
    await call('PUT', '/servers/tracker', server('tracker')),
    await call('PUT', '/servers/tracker/versions/1.0.0', version('tracker', 'close_issue')),
    await call('PUT', '/servers/reports', server('reports')),
    await call('PUT', '/grants/all', {
      serverId: 'tracker',
      subjects: [{ kind: 'group', id: 'engineering' }],
      tools: ['*'],
    }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
});

describe('throwing a switch', () => {
  it('is one call without a condition, and a revision with its reason', async () => {
    const thrown = await put('attack', { ...SERVER_OFF, note: 'see ticket 7', reason: 'an attack' });
    expect(thrown).toMatchObject({
      status: 201,
      etag: '"7"',
      body: { id: 'attack', ...SERVER_OFF, note: 'see ticket 7', state: 'thrown' },
    });
    expect(thrown.body).not.toHaveProperty('reason');
    expect((await read('attack')).body).toEqual(thrown.body);
    expect((await call('GET', '/kill-switches')).body.items).toEqual([thrown.body]);
    const { items } = (await call('GET', '/revisions?limit=1')).body;
    expect(items).toMatchObject([
      {
        number: 7,
        action: 'throw kill-switches/attack',
        reason: 'an attack',
        changes: ['kill-switches/attack: created'],
      },
    ]);
    expect((await call('GET', '/audit')).body.items[0]).toMatchObject({
      action: 'throw kill-switches/attack',
      reason: 'an attack',
    });
  });

  it('twice is throwing it once', async () => {
    const first = await put('attack', SERVER_OFF);
    const second = await put('attack', SERVER_OFF);
    expect(second).toMatchObject({ status: 200, etag: first.etag });
    expect(await revisionNow()).toBe(7);
  });

  it('asks for a reason', async () => {
    const answer = await put('attack', SERVER_OFF, { headers: { 'x-change-reason': '' } });
    expect(answer.status).toBe(400);
  });

  it('asks for If-Match only where it would release something', async () => {
    const { etag } = await put('attack', { ...SERVER_OFF, until: later(3_600_000) });
    const other = await put('attack', TENANT_OFF);
    expect(other).toMatchObject({ status: 428, body: { type: 'urn:mcpgw:problem:precondition-required' } });
    expect((await put('attack', { ...SERVER_OFF, until: later(60_000) })).status).toBe(428);
    expect((await put('attack', TENANT_OFF, { headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect((await put('attack', TENANT_OFF, { headers: { 'if-none-match': '*' } })).status).toBe(412);
    expect((await read('attack')).etag).toBe(etag);
    expect((await put('attack', SERVER_OFF)).status).toBe(200);
    const { etag: now } = await read('attack');
    expect(await put('attack', TENANT_OFF, { headers: { 'if-match': now } })).toMatchObject({
      status: 200,
      body: TENANT_OFF,
    });
  });

  it('is lost by nobody in a race: two take one name, and neither releases the other’s', async () => {
    const answers = await Promise.all([put('attack', SERVER_OFF), put('attack', TENANT_OFF)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 428]);
    const won = answers.find(({ status }) => status === 201);
    expect((await read('attack')).body).toEqual(won?.body);
  });

  it('is lost by nobody in a race with each other and with changes of the tenant', async () => {
    const answers = await Promise.all([
      put('a', SERVER_OFF),
      put('b', TENANT_OFF),
      put('c', { target: { kind: 'principal', principal: PRINCIPAL } }),
      call('PUT', '/servers/tracker/state', { enabled: false }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 200]);
    expect((await call('GET', '/kill-switches')).body.items.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, object, string[]]>([
    ['a server that is not there', { target: { kind: 'server', serverId: 'trakcer' } }, ['/target/serverId']],
    [
      'a tool of no version',
      { target: { kind: 'tool', serverId: 'tracker', tool: 'close_isue' } },
      ['/target/tool'],
    ],
    [
      'an issuer that is not there',
      { target: { kind: 'application', clientId: 'cli', issuerId: 'fabrikam' } },
      ['/target/issuerId'],
    ],
    [
      'a name that is no principal',
      { target: { kind: 'principal', principal: 'mallory' } },
      ['/target/principal'],
    ],
    ['nothing of its kind', { target: { kind: 'tool' } }, ['/target/serverId', '/target/tool']],
    ['an end that has passed', { ...TENANT_OFF, until: '2026-01-01T00:00:00Z' }, ['/until']],
    ['another id than the path', { ...TENANT_OFF, id: 'other' }, ['/id']],
  ])('refuses %s with 422, because a slip must not look like success', async (_name, body, expected) => {
    const answer = await put('attack', body);
    expect(answer).toMatchObject({ status: 422, body: { type: 'urn:mcpgw:problem:invalid-resource' } });
    expect(pointers(answer)).toEqual(expected);
    expect((await read('attack')).status).toBe(404);
    expect(await revisionNow()).toBe(6);
  });

  it.each<[string, object, string[]]>([
    ['an unknown kind', { target: { kind: 'group', id: 'engineering' } }, ['/target/kind']],
    ['an unknown field', { target: { kind: 'tenant' }, untill: later(60_000) }, ['/untill']],
    ['an end in another form', { ...TENANT_OFF, until: 'tomorrow' }, ['/until']],
    ['a name with a blank before it', { target: { kind: 'principal', id: ' mallory' } }, ['/target/id']],
    ['no target', {}, ['/target']],
  ])('refuses %s with 400', async (_name, body, expected) => {
    const answer = await put('attack', body);
    expect(answer.status).toBe(400);
    expect(pointers(answer)).toEqual(expected);
  });

  it('has no dry run, and is of no use to a tenant that is not there', async () => {
    expect((await call('PUT', '/kill-switches/attack?dryRun=true', TENANT_OFF)).status).toBe(400);
    tenant = 'nobody';
    expect((await put('attack', TENANT_OFF)).status).toBe(404);
  });
});

describe('over one Postgres', () => {
  let postgres: PostgresServer;
  let stores: readonly Store[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
    const { url } = await postgres.createDatabase();
    stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(url, TEST_AUDIT)));
  });

  afterAll(async () => {
    for (const store of stores) await store.close();
    await postgres.stop();
  });

  it('three registries that throw switches of one tenant all at once throw every one of them', async () => {
    const [first] = stores;
    if (first === undefined) throw new Error('no store');
    const record = { actor: 'ada', action: 'test', reason: 'test', at: '2026-01-31T12:00:00.000Z' };
    const before = sampleTenant('acme', 0);
    await first.write({ tenantId: 'acme', record, before: undefined, tenant: before, changes: ['created'] });
    const throws = Array.from({ length: 30 }, (_, index) => {
      const context = { store: stores[index % 3], onWrite: () => undefined } as unknown as ApiContext;
      const sent = { id: `s-${index}`, target: { kind: 'tenant' as const } };
      return changeTenant(context, {
        tenantId: 'acme',
        record,
        isUrgent: true,
        judge: () => undefined,
        command: (found) => putKillSwitch(found ?? before, sent, 0),
      });
    });
    expect((await Promise.all(throws)).filter(({ ok }) => !ok)).toEqual([]);
    expect((await first.findTenant('acme'))?.tenant.killSwitches).toHaveLength(
      30 + before.killSwitches.length,
    );
  });
});

describe('who', () => {
  it.each<[string, boolean, boolean]>([
    ['admin', true, true],
    ['operator', true, true],
    ['auditor', false, true],
    ['publisher', false, false],
  ])('%s throws and releases: %s; reads: %s', async (role, writes, reads) => {
    const roles = [`${role}:${tenant}`];
    const { etag } = await put('standing', SERVER_OFF);
    const denied = (answer: Answer): boolean => answer.status === 403;
    expect(denied(await put('attack', TENANT_OFF, { roles }))).toBe(!writes);
    expect(denied(await release('standing', etag, { roles }))).toBe(!writes);
    expect(denied(await call('GET', '/kill-switches', undefined, { roles }))).toBe(!reads);
    expect(denied(await call('GET', '/kill-switches/attack', undefined, { roles }))).toBe(!reads);
  });

  it('an operator of another tenant is nobody here', async () => {
    const roles = ['operator:beta'];
    expect((await put('attack', TENANT_OFF, { roles })).status).toBe(403);
  });
});

describe('releasing a switch', () => {
  it('needs to have seen it', async () => {
    const { etag } = await put('attack', SERVER_OFF);
    expect((await release('attack')).status).toBe(428);
    expect((await release('attack', '"1"')).status).toBe(412);
    expect((await read('attack')).status).toBe(200);
    expect((await release('attack', etag)).status).toBe(204);
    expect((await read('attack')).status).toBe(404);
    expect((await release('attack', etag)).status).toBe(404);
    const { items } = (await call('GET', '/revisions?limit=1')).body;
    expect(items).toMatchObject([
      { action: 'release kill-switches/attack', changes: ['kill-switches/attack: removed'] },
    ]);
  });

  it('is not a condition for removing what it is about', async () => {
    await put('attack', SERVER_OFF);
    for (const path of ['/grants/all', '/servers/tracker']) {
      const { etag } = await call('GET', path);
      const removed = await call('DELETE', path, undefined, { headers: { 'if-match': etag } });
      expect(removed.status, path).toBe(204);
    }
    expect((await read('attack')).body).toMatchObject(SERVER_OFF);
  });
});

describe('a switch with an end', () => {
  it('lapses without a write, reads so, and can be thrown anew or cleared away', async () => {
    const { etag } = await put('attack', { ...SERVER_OFF, until: later(2_500) });
    const revision = await revisionNow();
    await expect.poll(async () => (await read('attack')).body).toMatchObject({ state: 'lapsed' });
    expect(await revisionNow()).toBe(revision);
    expect((await call('GET', '/kill-switches')).body.items).toMatchObject([{ state: 'lapsed' }]);
    await put('standing', TENANT_OFF);
    for (const [state, id] of [
      ['lapsed', 'attack'],
      ['thrown', 'standing'],
    ] as const)
      expect((await call('GET', `/kill-switches?state=${state}`)).body.items).toMatchObject([{ id, state }]);
    expect((await read('attack')).etag).toBe(etag);
    expect((await put('attack', TENANT_OFF)).body).toMatchObject({ state: 'thrown' });
    expect((await release('attack', (await read('attack')).etag)).status).toBe(204);
  });
});

describe('a restore', () => {
  const restore = async (number: number): Promise<Answer> => {
    const { etag } = await call('GET', '');
    return call('POST', `/revisions/${number}/restore`, undefined, { headers: { 'if-match': etag } });
  };

  it('releases no switch that was thrown since, and throws none that was released since', async () => {
    const { etag } = await put('old', SERVER_OFF);
    await release('old', etag);
    await put('new', TENANT_OFF);
    await call('PUT', '', { displayName: 'Other', accessContact: '' }, { headers: { 'if-match': '*' } });
    const answer = await restore(7);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        resources: [{ resource: 'tenant' }],
        access: { gained: [], lost: [], loosened: [] },
        stillDifferent: ['kill-switches/new: created', 'kill-switches/old: removed'],
      },
    });
    expect((await call('GET', '/kill-switches')).body.items.map(({ id }) => id)).toEqual(['new']);
  });
});

describe('the commands of docs/operations.md', () => {
  it('throw each kind of switch, list them, and release one', async () => {
    const variables = {
      API: `${registry.url}/v1/tenants/${tenant}`,
      TOKEN: await adminToken([`operator:${tenant}`]),
      PRINCIPAL,
    };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', EMERGENCY], {
      env: { ...process.env, ...variables },
    });
    expect(stdout).toContain('"items"');
    const { items } = (await call('GET', '/kill-switches')).body as unknown as {
      items: readonly { id: string; until?: string; target: object }[];
    };
    expect(items.map(({ target }) => target)).toEqual([
      { kind: 'tool', serverId: 'tracker', tool: 'close_issue' },
      { kind: 'principal', principal: PRINCIPAL },
      { kind: 'principal', id: '10000000-bbbb-4bbb-8bbb-00000000000b', issuerId: 'contoso' },
      { kind: 'application', clientId: '2c6b8f47-9d13-4a05-b7e2-f0a1b2c3d402' },
      { kind: 'server', serverId: 'reports' },
    ]);
    expect(Date.parse(items.find(({ id }) => id === 'mallory')?.until ?? '')).toBeGreaterThan(Date.now());
    const { items: revisions } = (await call('GET', '/revisions')).body;
    expect(revisions.map(({ reason }) => reason)).toContain('attack is over');
  });
});
