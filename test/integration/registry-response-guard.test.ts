// Settings of the response guard through the real API: they are taken, refused by pointer, kept in the history, and not
// weakened unseen by going back. The bodies that the operator's page shows are sent as they stand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { ROOT } from '#test/support/product-process.ts';

let registry: TestRegistry;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

const SERVER = '/servers/tracker';

type Headers = Record<string, string>;

const call = (method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, { ...(body === undefined ? {} : { body }), headers });

const etagOf = async (path: string): Promise<Headers> => ({ 'if-match': (await call('GET', path)).etag });

const guard = async (responseGuard: unknown, path = SERVER, query = ''): Promise<Answer> =>
  call('PATCH', `${path}${query}`, { responseGuard }, await etagOf(path));

const guardOf = async (path = SERVER): Promise<unknown> =>
  ((await call('GET', path)).body as unknown as { readonly responseGuard?: unknown }).responseGuard;

type Access = { readonly loosened: readonly object[]; readonly digest?: string };

const accessOf = ({ body }: Answer): Access => (body as unknown as { readonly access: Access }).access;

const revisionNow = async (): Promise<number> => (await call('GET', '')).body.revision;

beforeEach(async () => {
  count += 1;
  tenant = `t${count}`;
  await call('PUT', '', { displayName: 'T', accessContact: '', fourEyes: false });
  await call('PUT', '/issuers/home', {
    kind: 'oidc',
    issuer: 'https://login.example.com',
    jwksUri: 'https://login.example.com/keys',
    relation: 'home',
  });
  await call('PUT', SERVER, {
    displayName: 'Tracker',
    allowedHosts: ['tracker.example.com'],
    upstreamAuth: { mode: 'none' },
    bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
  });
  await call('PUT', `${SERVER}/versions/1`, {
    endpoints: ['https://tracker.example.com/mcp'],
    protocolVersions: ['2025-11-25'],
    tools: ['list_issues', 'create_issue'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  });
});

const FULL = {
  drift: 'pinned',
  arguments: 'report',
  results: 'report',
  unreadable: 'report',
  requestState: 'pass',
  maxAnswerBytes: 65_536,
  findings: [
    {
      detector: 'secrets',
      kinds: ['jwt'],
      action: 'redact',
      tools: ['list_issues'],
      messages: ['list', 'log'],
    },
    { detector: 'exfiltration', action: 'block', allowedHosts: ['*.example.com'] },
    { detector: 'pii', action: 'mark', countries: ['DE'] },
    { detector: 'plugin:acme-codes', action: 'block' },
  ],
  redactions: [
    { name: 'codes', pattern: 'AC-[0-9]{6}', replacement: '(code)' },
    { name: 'owners', pointer: '/items/*/owner' },
  ],
  headers: [
    { action: 'add', name: 'x-checked', value: 'yes' },
    { action: 'remove', name: 'x-debug' },
    { action: 'rename', name: 'x-old', to: 'x-new', tools: ['create_issue'] },
  ],
  extractions: [{ name: 'state', pointer: '/state', header: 'x-state', values: ['open', 'closed'] }],
};

describe('settings of the response guard', () => {
  it('are taken whole, read as they were set, and served by the feed', async () => {
    const answer = await guard(FULL);
    expect(answer).toMatchObject({ status: 200, body: { responseGuard: FULL } });
    expect(await guardOf()).toEqual(FULL);
    const stored = await registry.context.store.findTenant(tenant);
    expect(stored?.tenant.servers[0]?.responseGuard).toEqual(FULL);
  });

  it('are merged member by member, and taken back by null', async () => {
    await guard(FULL);
    await guard({ drift: null, results: 'refuse', findings: [] });
    const { drift: _drift, ...rest } = FULL;
    expect(await guardOf()).toEqual({ ...rest, results: 'refuse', findings: [] });
    await guard(null);
    expect(await guardOf()).toBeUndefined();
  });

  it('are changed by whoever has seen what he changes', async () => {
    expect((await call('PATCH', SERVER, { responseGuard: FULL })).status).toBe(428);
    const seen = await etagOf(SERVER);
    await guard({ drift: 'pinned' });
    expect((await call('PATCH', SERVER, { responseGuard: FULL }, seen)).status).toBe(412);
  });

  it('of a tenant are for all its servers; what is in the answers of one is for that one', async () => {
    expect((await guard({ findings: [{ detector: 'hidden-text', action: 'redact' }] }, '')).status).toBe(200);
    const refused = await guard({ redactions: FULL.redactions }, '');
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/responseGuard/redactions' }] },
    });
  });

  it('are refused where they could not be carried out, each by its pointer', async () => {
    const answer = await guard({
      findings: [{ detector: 'secrets', kinds: ['email'], action: 'redact', tools: ['drop_issue'] }],
      redactions: [{ name: 'all', pattern: '(a)\\1' }],
      headers: [{ action: 'remove', name: 'mcp-session-id' }],
      extractions: [{ name: 'x', pointer: '/a/*', label: true, values: ['b'] }],
    });
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map(({ pointer }) => pointer)).toEqual([
      '/responseGuard/findings/0/kinds/0',
      '/responseGuard/findings/0/tools/0',
      '/responseGuard/redactions/0/pattern',
      '/responseGuard/headers/0/name',
      '/responseGuard/extractions/0/pointer',
    ]);
    expect(await guardOf()).toBeUndefined();
  });

  it.each([
    ['a line break in a header', { headers: [{ action: 'add', name: 'x-a', value: 'b\r\nset-cookie: c' }] }],
    ['a pseudo-header', { headers: [{ action: 'remove', name: ':status' }] }],
    ['a mode nobody knows', { drift: 'ignore' }],
    ['a member nobody knows', { redact: [] }],
    ['more than Envoy holds', { maxAnswerBytes: 1_000_000_000 }],
  ])('are not %s', async (_what, settings) => {
    expect((await guard(settings)).status).toBe(422);
  });

  it('are for admins of the tenant', async () => {
    const headers = await etagOf(SERVER);
    const body = { responseGuard: { drift: 'report' } };
    const path = `/v1/tenants/${tenant}${SERVER}`;
    for (const role of ['operator', 'auditor', 'publisher', 'approver']) {
      const { status } = await registry.call('PATCH', path, { body, headers, roles: [`${role}:${tenant}`] });
      expect(status, role).toBe(403);
    }
    const done = await registry.call('PATCH', path, { body, headers, roles: [`admin:${tenant}`] });
    expect(done.status).toBe(200);
  });
});

describe('a weaker guard', () => {
  it('is named by a dry run, which changes nothing', async () => {
    const dry = await guard({ drift: 'report', results: 'off' }, SERVER, '?dryRun=true');
    expect(accessOf(dry).loosened).toEqual([
      { resource: 'servers/tracker', message: 'drift is report, and was hide' },
      { resource: 'servers/tracker', message: 'results is off, and was refuse' },
    ]);
    expect(await guardOf()).toBeUndefined();
  });

  it('is in the history, field by field', async () => {
    await guard({ drift: 'hide', findings: FULL.findings });
    await guard({ drift: 'report' });
    const { body } = await call('GET', `/revisions/${await revisionNow()}/diff`);
    const changes = [{ change: 'changed', pointer: '/responseGuard/drift', before: 'hide', after: 'report' }];
    expect(body).toMatchObject({ resources: [{ resource: 'servers/tracker', changes }] });
  });

  it('does not come back with a restore unless it was seen and confirmed', async () => {
    await guard({ drift: 'report' });
    const weak = await revisionNow();
    await guard({ drift: 'hide', redactions: FULL.redactions });
    const restore = async (query = ''): Promise<Answer> =>
      call('POST', `/revisions/${weak}/restore${query}`, undefined, await etagOf(''));
    const refused = await restore();
    expect(refused).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:access-not-confirmed' } });
    expect(accessOf(refused).loosened).toEqual([
      { resource: 'servers/tracker', message: 'drift is report, and was hide' },
      { resource: 'servers/tracker', message: 'redaction codes is dropped or changed' },
      { resource: 'servers/tracker', message: 'redaction owners is dropped or changed' },
    ]);
    expect(await guardOf()).toMatchObject({ drift: 'hide' });
    const { digest } = accessOf(refused);
    expect((await restore(`?confirmAddedAccess=${digest}`)).status).toBe(200);
    expect(await guardOf()).toEqual({ drift: 'report' });
  });

  it('is not what a stricter one of then is', async () => {
    await guard({ findings: FULL.findings });
    const strict = await revisionNow();
    await guard({ findings: [] });
    const answer = await call('POST', `/revisions/${strict}/restore`, undefined, await etagOf(''));
    expect(answer.status).toBe(200);
    expect(await guardOf()).toEqual({ findings: FULL.findings });
  });
});

describe('the page for operators', () => {
  const page = readFileSync(join(ROOT, 'docs', 'response-guard.md'), 'utf8');
  const bodies = [...page.matchAll(/```json\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text)
    .filter((text) => text.includes('"responseGuard"'));

  it('shows settings that are taken as they stand', async () => {
    expect(bodies.length).toBeGreaterThan(0);
    for (const text of bodies) {
      const body: unknown = JSON.parse(text);
      const answer = await call('PATCH', `${SERVER}?dryRun=true`, body, await etagOf(SERVER));
      expect(answer.status, `${text}\n${JSON.stringify(answer.body.errors)}`).toBe(200);
    }
  });
});
