// Host names of tenants through the API: who gives them, in what writing, and that no name is ever two tenants'.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  type Call,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let count = 0;
let acme = '';
let beta = '';

const make = async (tenant: string): Promise<void> => {
  const body = { displayName: tenant, accessContact: '', fourEyes: false };
  expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
};

beforeAll(async () => {
  registry = await startTestRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  count += 1;
  [acme, beta] = [`acme-${count}`, `beta-${count}`];
  await make(acme);
  await make(beta);
});

const at = (tenant: string): string => `/v1/tenants/${tenant}/hosts`;

const put = (
  tenant: string,
  names: readonly string[],
  more: Call & { query?: string } = {},
): Promise<Answer> => registry.call('PUT', `${at(tenant)}${more.query ?? ''}`, { body: { names }, ...more });

const name = (label: string): string => `${label}.t${count}.example.com`;

describe('host names', () => {
  it('are given, changed and taken away with the ETag of what was there', async () => {
    expect((await registry.call('GET', at(acme))).status).toBe(404);
    const given = await put(acme, [name('b'), name('a')]);
    expect([given.status, given.body]).toEqual([201, { names: [name('a'), name('b')] }]);
    expect((await put(acme, [name('c')])).status).toBe(428);
    expect((await put(acme, [name('c')], { headers: { 'if-match': '"999"' } })).status).toBe(412);
    const changed = await put(acme, [name('c')], { headers: { 'if-match': given.etag } });
    expect([changed.status, changed.body]).toEqual([200, { names: [name('c')] }]);
    // The same in another order is no change.
    const both = await put(acme, [name('d'), name('c')], { headers: { 'if-match': changed.etag } });
    const again = await put(acme, [name('c'), name('d')], { headers: { 'if-match': both.etag } });
    expect([again.status, again.etag]).toEqual([200, both.etag]);
    const gone = await registry.call('DELETE', at(acme), { headers: { 'if-match': both.etag } });
    expect(gone.status).toBe(204);
    expect((await registry.call('GET', at(acme))).status).toBe(404);
  });

  it('stand in the history and in the audit, with who and why', async () => {
    await put(acme, [name('a')]);
    const { body } = await registry.call('GET', `/v1/tenants/${acme}/revisions`);
    expect(body.items[0]).toMatchObject({ action: 'put hosts', reason: 'a test' });
    const audit = await registry.call('GET', `/v1/tenants/${acme}/audit`);
    expect(audit.body.items[0]).toMatchObject({ action: 'put hosts' });
  });

  it('are shown by a dry run, and not given', async () => {
    const dry = await put(acme, [name('a')], { query: '?dryRun=true' });
    expect(dry.status).toBe(200);
    expect(JSON.stringify(dry.body)).toContain(name('a'));
    expect((await put(beta, [name('a')])).status).toBe(201);
    expect((await put(acme, [name('a')], { query: '?dryRun=true' })).status).toBe(409);
  });

  it('belong to one tenant: a second is told whose they are, name by name', async () => {
    await put(acme, [name('a')]);
    const taken = await put(beta, [name('b'), name('a')]);
    expect(taken.status).toBe(409);
    expect(taken.body.errors).toEqual([{ pointer: '/names/1', message: `belongs to tenant ${acme}` }]);
    // Nothing of it was taken.
    expect((await put(acme, [name('a'), name('b')], { headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('go to one of many who ask at the same moment', async () => {
    const rivals = Array.from({ length: 6 }, (_, index) => `rival-${count}-${index}`);
    for (const rival of rivals) await make(rival);
    const answers = await Promise.all(rivals.map((rival) => put(rival, [name('a')])));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('are free again when the tenant gives them back or is removed', async () => {
    await put(acme, [name('a'), name('b')]);
    await put(acme, [name('b')], { headers: { 'if-match': '*' } });
    expect((await put(beta, [name('a')])).status).toBe(201);
    const removed = await registry.call('DELETE', `/v1/tenants/${acme}`, { headers: { 'if-match': '*' } });
    expect(removed.status).toBe(204);
    expect((await put(beta, [name('a'), name('b')], { headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('stay when the settings of the tenant are replaced or an earlier revision is restored', async () => {
    const { body } = await registry.call('GET', `/v1/tenants/${acme}`);
    await put(acme, [name('a')]);
    const settings = { displayName: 'Renamed', accessContact: '', fourEyes: false };
    const path = `/v1/tenants/${acme}`;
    const replaced = await registry.call('PUT', path, { body: settings, headers: { 'if-match': '*' } });
    expect(replaced.status).toBe(200);
    const restored = await registry.call('POST', `${path}/revisions/${body.revision}/restore`, {
      headers: { 'if-match': '*' },
    });
    expect(restored.status, JSON.stringify(restored.body)).toBe(200);
    expect((await registry.call('GET', at(acme))).body).toEqual({ names: [name('a')] });
  });

  it.each([
    ['in capitals', 'MCP.Example.com'],
    ['with a port', 'mcp.example.com:8443'],
    ['with the dot of the root', 'mcp.example.com.'],
    ['in Unicode', 'bücher.example'],
    ['that is an address', '192.0.2.1'],
    ['that is an address in hexadecimal', '0x7f.1'],
    ['that is a URL', 'https://mcp.example.com'],
    ['with a wildcard', '*.example.com'],
    ['with an empty label', 'mcp..example.com'],
    ['with an underscore', 'mcp_a.example.com'],
    ['longer than DNS has', `${'a.'.repeat(127)}example`],
    ['that is empty', ''],
  ])('%s are refused', async (_title, text) => {
    const refused = await put(acme, [text]);
    expect([refused.status, refused.body.errors[0]?.pointer]).toEqual([400, '/names/0']);
  });

  it.each([
    ['none', [] as string[]],
    ['the same twice', ['a.example.com', 'a.example.com']],
    ['more than a hundred', Array.from({ length: 101 }, (_, index) => `a${index}.example.com`)],
  ])('are refused as a list of %s', async (_title, names) => {
    expect((await put(acme, names)).status).toBe(400);
  });

  it('are for platform admins to give, and for admins of the tenant to read', async () => {
    const roles = [`admin:${acme}`];
    expect((await put(acme, [name('a')], { roles })).status).toBe(403);
    await put(acme, [name('a')]);
    expect((await registry.call('GET', at(acme), { roles })).status).toBe(200);
    expect((await registry.call('DELETE', at(acme), { roles, headers: { 'if-match': '*' } })).status).toBe(
      403,
    );
  });
});
