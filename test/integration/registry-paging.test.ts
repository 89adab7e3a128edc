// Long lists over HTTP: pages that lead to the next one, filters, and lists that have not changed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

let registry: TestRegistry;

const sample = sampleTenant('acme');
const [server] = sample.servers;
const { versions: _versions, enabled: _enabled, activeVersion: _active, ...settings } = server ?? {};
// Names of digits alone: a parameter that looks like a number is still a name.
const NAMES = ['10', '2', '9', 'a', 'b-1', 'b-2', 'c'];

const put = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<void> => {
  const { status } = await registry.call('PUT', `/v1/tenants/acme${path}`, { body, headers });
  expect([200, 201], path).toContain(status);
};

beforeAll(async () => {
  registry = await startTestRegistry();
  await put('', { displayName: 'Acme', accessContact: '' });
  await put('/issuers/home', sample.issuers[0]);
  for (const id of NAMES) {
    await put(`/servers/${id}`, {
      ...settings,
      id,
      // Servers that share an audience would each need a scope of their own.
      bindings: [{ ...server?.bindings[0], audiences: [`api://${id}`] }],
    });
    const tenant = { displayName: id, accessContact: '' };
    await registry.call('PUT', `/v1/tenants/t-${id}`, { body: tenant });
  }
  for (const id of NAMES) {
    await put(`/grants/${id}`, {
      ...sample.grants[0],
      id,
      serverId: id === 'c' ? 'a' : id,
      subjects: [{ kind: 'group', id: id.startsWith('b') ? 'team-b' : 'everybody' }],
    });
    await put(`/publishers/${id}`, {
      displayName: id,
      keys: [{ ...sample.publishers[0]?.keys[0], kid: `key-${id}` }],
      servers: id === '9' ? ['a', '9'] : [],
    });
  }
  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await put(`/servers/a/versions/${version}`, { ...server?.versions[0], version });
  await put('/servers/b-1/state', { enabled: false });
});

afterAll(() => registry.stop());

const nextOf = (answer: Answer): string | undefined =>
  /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];

/** Every page of a list, by its links. */
const pagesOf = async (path: string): Promise<readonly Answer['body']['items'][]> => {
  const pages = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Answer = await registry.call('GET', next);
    expect(answer.status, next).toBe(200);
    pages.push(answer.body.items);
    next = nextOf(answer);
    expect(pages.length).toBeLessThan(50);
  }
  return pages;
};

const T = '/v1/tenants/acme';

describe('a list', () => {
  it.each([
    ['/v1/tenants', 8],
    [`${T}/servers`, 7],
    [`${T}/grants`, 7],
    [`${T}/publishers`, 7],
    [`${T}/servers/a/versions`, 3],
    [`${T}/revisions`, 27],
    [`${T}/audit`, 27],
  ])('of %s is the same by pages as whole, and its last page leads nowhere', async (path, count) => {
    const whole = (await registry.call('GET', path)).body.items;
    expect(whole).toHaveLength(count);
    for (const limit of [1, 3, count, count + 1].filter((size) => size <= 200)) {
      const pages = await pagesOf(`${path}?limit=${limit}`);
      expect(pages.flat(), String(limit)).toEqual(whole);
      expect(pages).toHaveLength(Math.ceil(count / limit));
    }
  });

  it('goes on after a name that is gone, with the filters it began with', async () => {
    const after = await registry.call('GET', `${T}/servers?after=b-10&limit=1`);
    expect(after.body.items).toMatchObject([{ id: 'b-2' }]);
    const first = await registry.call('GET', `${T}/servers?enabled=true&limit=4&after=2`);
    expect(first.body.items.map(({ id }) => id)).toEqual(['9', 'a', 'b-2', 'c']);
    expect(nextOf(first)).toBeUndefined();
    const linked = nextOf(await registry.call('GET', `${T}/servers?enabled=true&limit=1`));
    expect(linked).toBe(`${T}/servers?enabled=true&limit=1&after=10`);
  });

  it.each([
    ['servers?enabled=false', ['b-1']],
    ['servers?enabled=true', ['10', '2', '9', 'a', 'b-2', 'c']],
    ['grants?serverId=a', ['a', 'c']],
    ['grants?subject=team-b', ['b-1', 'b-2']],
    ['grants?subject=everybody&serverId=a', ['a', 'c']],
    ['grants?serverId=nothing', []],
    ['publishers?serverId=a', ['9']],
  ])('is narrowed by %s', async (query, ids) => {
    const { status, body } = await registry.call('GET', `${T}/${query}`);
    expect(status).toBe(200);
    expect(body.items.map(({ id }) => id)).toEqual(ids);
  });

  it.each([`${T}/issuers`, `${T}/servers`, `${T}/grants?limit=2`, `${T}/servers/a/versions`])(
    'of %s that has not changed is not sent again',
    async (path) => {
      const { etag } = await registry.call('GET', path);
      expect(etag).toMatch(/^"\d+"$/);
      const again = await registry.call('GET', path, { headers: { 'if-none-match': etag } });
      expect(again).toMatchObject({ status: 304, etag, body: undefined });
      const stale = await registry.call('GET', path, { headers: { 'if-none-match': '"1"' } });
      expect(stale.status).toBe(200);
    },
  );

  it.each([
    ['servers?limit=0', '/limit'],
    ['servers?limit=1001', '/limit'],
    ['servers?limit=two', '/limit'],
    ['servers?enabled=yes', '/enabled'],
    ['grants?serverId=Not%20An%20Id', '/serverId'],
    ['servers?after=', '/after'],
    ['revisions?before=0', '/before'],
    ['servers/a/versions?enabled=true', '/enabled'],
  ])('is refused for %s, by its name', async (query, pointer) => {
    const { status, body } = await registry.call('GET', `${T}/${query}`);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ pointer, in: 'query' }]);
  });
});

describe('the past', () => {
  const count = async (query: string): Promise<number> => {
    const { status, body } = await registry.call('GET', `${T}/${query}`);
    expect(status, query).toBe(200);
    return body.items.length;
  };

  it('is narrowed by who, when and what', async () => {
    const actor = encodeURIComponent(JSON.stringify(['https://login.example.com/admins', 'ada']));
    const all = (await registry.call('GET', `${T}/revisions?limit=200`)).body.items;
    const [oldest] = all.slice(-1) as unknown as readonly { readonly at: string }[];
    const since = oldest?.at ?? '';
    expect(await count(`revisions?limit=200&actor=${actor}`)).toBe(all.length);
    expect(await count('revisions?actor=nobody')).toBe(0);
    expect(await count(`revisions?limit=200&since=${since}`)).toBe(all.length);
    // The same time in another zone.
    const shifted = new Date(Date.parse(since) + 3_600_000).toISOString().replace('Z', '%2B01:00');
    expect(await count(`audit?limit=200&since=${shifted}`)).toBe(all.length);
    expect(await count(`audit?until=${since}`)).toBe(0);
    expect(await count('revisions?resource=servers/a')).toBe(4);
    expect(await count('revisions?resource=servers/a/versions/2.0.0')).toBe(1);
    expect(await count('audit?action=disable')).toBe(1);
    expect(await count('manifests?serverId=a')).toBe(0);
    const pages = await pagesOf(`${T}/revisions?resource=servers/a&limit=3`);
    expect(pages.map((page) => page.length)).toEqual([3, 1]);
  });

  it.each([
    ['revisions?since=yesterday', '/since'],
    ['revisions?since=2026-13-01T00:00:00Z', '/since'],
    ['audit?until=2026-01-01T00:00:00', '/until'],
    ['audit?resource=servers/a', '/resource'],
    ['revisions?action=put', '/action'],
  ])('is refused for %s, by its name', async (query, pointer) => {
    const { status, body } = await registry.call('GET', `${T}/${query}`);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ pointer, in: 'query' }]);
  });
});

describe('a parameter nobody knows', () => {
  it('is refused by name on every route', async () => {
    const document = (await (await fetch(`${registry.url}/openapi.json`)).json()) as {
      readonly paths: Readonly<Record<string, object>>;
    };
    const names: Record<string, string> = { tenant: 'acme', id: 'a', version: '1.0.0', number: '1' };
    const routes = Object.entries(document.paths).flatMap(([template, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), template] as const),
    );
    for (const [method, template] of routes) {
      const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '0'.repeat(64));
      const body = ['GET', 'DELETE'].includes(method) ? {} : { body: { version: '1.0.0', enabled: true } };
      const answer = await registry.call(method, `${path}?surprise%2F=1`, body);
      expect(answer.status, `${method} ${template}`).toBe(400);
      const named = answer.body.errors.filter(({ in: place }) => place === 'query');
      expect(named, `${method} ${template}`).toMatchObject([{ pointer: '/surprise~1', in: 'query' }]);
    }
  });
});
