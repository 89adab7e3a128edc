// Clients that want more of the sign-in façade than is theirs: other addresses than they registered, addresses nobody may be
// sent to, documents that lead the façade into its own network or speak for another client (threats 16, 17, 25).

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '#core/gateway-error.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import { type FacadeBench, REDIRECT, startFacadeBench } from '#test/support/facade-bench.ts';

const DOCUMENT = 'https://app.example/client.json';

const documentOf = (changes: object = {}) => ({
  client_id: DOCUMENT,
  client_name: 'An app',
  redirect_uris: [REDIRECT],
  ...changes,
});

/** What the sites of clients answer, by address. */
const sites = new Map<string, { status?: number; type?: string; body: string; maxAge?: number }>();
const fetched: string[] = [];

const siteFetch: EgressGuard['fetch'] = async (url, { maxBytes }) => {
  fetched.push(url);
  const site = sites.get(url);
  if (site === undefined) throw new GatewayError('provider_failed', 'the request failed (ENOTFOUND)');
  // As the guard does.
  if (site.body.length > maxBytes) throw new GatewayError('provider_failed', 'the answer is longer');
  const headers = new Headers({ 'content-type': site.type ?? 'application/json' });
  if (site.maxAge !== undefined) headers.set('cache-control', `max-age=${site.maxAge}`);
  return { status: site.status ?? 200, headers, body: site.body };
};

let strict: FacadeBench;
let bench: FacadeBench;
beforeAll(async () => {
  strict = await startFacadeBench();
  bench = await startFacadeBench(siteFetch);
});
beforeEach(() => {
  sites.clear();
  fetched.length = 0;
  // Buckets fill up again, and nothing that was fetched is kept.
  bench.advance(2 * 24 * 3600);
  strict.advance(3600);
});
afterAll(async () => {
  await strict?.stop();
  await bench?.stop();
});

/** Status and error of a page that sends nobody anywhere. */
const pageOf = async (address: string) => {
  const answer = await fetch(address, { redirect: 'manual' });
  const text = await answer.text();
  expect(answer.headers.has('location')).toBe(false);
  expect(text).not.toContain('http-equiv');
  return { status: answer.status, error: /Error: <code>(\w+)</.exec(text)?.[1], text };
};

describe('a redirect URI', () => {
  it.each([
    ['is longer than the registered one', `${REDIRECT}/more`],
    ['is shorter', 'https://client.example/call'],
    ['has another case', 'https://client.example/Callback'],
    ['has a slash at its end', `${REDIRECT}/`],
    ['has a query', `${REDIRECT}?x=1`],
    ['has a fragment', `${REDIRECT}#x`],
    ['has another port', 'https://client.example:8443/callback'],
    ['names the usual port', 'https://client.example:443/callback'],
    ['is another scheme', 'http://client.example/callback'],
    ['is another host', 'https://client.example.evil.example/callback'],
    ['hides its host behind a user', 'https://client.example@evil.example/callback'],
    ['has a user', 'https://x@client.example/callback'],
    ['climbs', 'https://client.example/x/../callback'],
    ['climbs in escapes', 'https://client.example/x/%2e%2e/callback'],
    ['is escaped', 'https://client.example/%63allback'],
    ['has a backslash', 'https:\\\\client.example\\callback'],
    ['ends its host with a dot', 'https://client.example./callback'],
    ['is a script', 'javascript:alert(1)'],
    ['is on this machine, which was not registered', 'http://127.0.0.1:1234/callback'],
    ['is missing', undefined],
  ])('that %s is refused, and nobody is sent there', async (_title, redirect) => {
    const address = bench.authorizeUrl(await bench.register(), { redirect_uri: redirect });
    expect(await pageOf(address)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it.each([
    ['http://127.0.0.1:1/callback', 'http://127.0.0.1:49152/callback'],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback'],
    ['http://[::1]/callback', 'http://[::1]:49152/callback'],
    ['http://localhost:1/callback', 'http://localhost:2/callback'],
  ])('of this machine has any port: %s, %s', async (registered, given) => {
    const client = await bench.register({ redirect_uris: [registered] });
    const answer = await fetch(bench.authorizeUrl(client, { redirect_uri: given }));
    expect(answer.status).toBe(200);
  });

  it.each([
    ['http://127.0.0.1:1/callback', 'http://127.0.0.1:2/other'],
    ['http://127.0.0.1:1/callback', 'http://localhost:1/callback'],
    ['http://127.0.0.1:1/callback', 'https://127.0.0.1:2/callback'],
    ['http://127.0.0.1:1/callback', 'http://127.0.0.1.evil.example:1/callback'],
    ['http://127.0.0.1:1/callback', 'http://x@127.0.0.1:2/callback'],
    ['http://127.0.0.1:1/callback', 'http://127.1:2/callback'],
    ['http://localhost:1/callback', 'http://localhost.:1/callback'],
  ])('of this machine differs in nothing else: %s, %s', async (registered, given) => {
    const client = await bench.register({ redirect_uris: [registered] });
    const address = bench.authorizeUrl(client, { redirect_uri: given });
    expect(await pageOf(address)).toMatchObject({ status: 400, error: 'invalid_request' });
  });
});

describe('a registration', () => {
  it.each([
    ['a script', ['javascript:alert(1)']],
    ['data', ['data:text/html,x']],
    ['a file', ['file:///etc/passwd']],
    ['a scheme of anybody', ['com.example.app:/callback']],
    ['plain http of another machine', ['http://client.example/callback']],
    ['plain http of a name that looks like this machine', ['http://localhost.evil.example/']],
    ['a fragment', [`${REDIRECT}#`]],
    ['a user', ['https://user:password@client.example/']],
    ['a relative address', ['/callback']],
    ['white space', ['https://client.example/ callback']],
    ['an address among good ones', [REDIRECT, 'javascript:alert(1)']],
    ['no address', []],
    ['addresses that are no list', REDIRECT],
    ['too many addresses', Array.from({ length: 33 }, (_, index) => `${REDIRECT}/${index}`)],
  ])('with %s is refused', async (_title, uris) => {
    const answer = await bench.post(`${bench.issuer()}/register`, { redirect_uris: uris });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
  });

  it.each([
    ['for tokens in the address', { response_types: ['token'] }],
    ['for passwords', { grant_types: ['password'] }],
    ['that counts on an assertion nobody would check', { token_endpoint_auth_method: 'private_key_jwt' }],
    [
      'that is too long for an id',
      { redirect_uris: Array.from({ length: 5 }, (_, i) => `${REDIRECT}/${'x'.repeat(400)}${i}`) },
    ],
  ])('%s is refused', async (_title, metadata) => {
    const said = { redirect_uris: [REDIRECT], ...metadata };
    const answer = await bench.post(`${bench.issuer()}/register`, said);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
  });

  it('takes bounded bodies only, and no form that another site could send', async () => {
    const address = `${bench.issuer()}/register`;
    const long = await fetch(address, { method: 'POST', body: 'x'.repeat(40_000) });
    expect(long.status).toBe(413);
    const form = await bench.post(address, new URLSearchParams({ redirect_uris: REDIRECT }));
    expect(form).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
  });

  it('is for one façade: its id is nobody at another tenant', async () => {
    const address = bench.authorizeUrl(await bench.register({}, 'acme'));
    expect(await pageOf(address)).toMatchObject({ error: 'invalid_client' });
  });

  it('that was changed in one character is nobody', async () => {
    const client = await bench.register();
    const changed = `${client.slice(0, -1)}${client.endsWith('A') ? 'B' : 'A'}`;
    expect(await pageOf(bench.authorizeUrl(changed))).toMatchObject({ error: 'invalid_client' });
  });

  it('comes to an end for a while where many come at once', async () => {
    const address = `${strict.issuer('acme')}/register`;
    const answers: number[] = [];
    for (let count = 0; count < 70; count += 1)
      answers.push((await strict.post(address, { redirect_uris: [REDIRECT] })).status);
    expect(answers.slice(0, 60)).toEqual(Array(60).fill(201));
    expect(answers.at(-1)).toBe(429);
    expect((await strict.post(`${strict.issuer()}/register`, { redirect_uris: [REDIRECT] })).status).toBe(
      201,
    );
  });

  it('is over where the registry says so, for those who registered before too', async () => {
    const client = await strict.register();
    strict.change((tenant) => ({
      ...tenant,
      issuers: tenant.issuers.map((issuer) =>
        issuer.facade === undefined
          ? issuer
          : { ...issuer, facade: { ...issuer.facade, registration: false } },
      ),
    }));
    expect(await pageOf(strict.authorizeUrl(client))).toMatchObject({ error: 'invalid_client' });
    const metadata = await fetch(`${strict.url}/.well-known/oauth-authorization-server/t/default/i/contoso`);
    expect(await metadata.json()).not.toHaveProperty('registration_endpoint');
    expect((await strict.post(`${strict.issuer()}/register`, { redirect_uris: [REDIRECT] })).status).toBe(
      400,
    );
  });
});

describe('the document of a client', () => {
  const serve = (body: unknown, more: object = {}): void =>
    void sites.set(DOCUMENT, { body: typeof body === 'string' ? body : JSON.stringify(body), ...more });

  it('makes it known by the host of its address', async () => {
    serve(documentOf());
    const answer = await fetch(bench.authorizeUrl(DOCUMENT));
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<strong>app.example</strong>');
  });

  it.each([
    'https://127.0.0.1/client.json',
    'https://[::1]/client.json',
    'https://localhost/client.json',
    'https://10.0.0.1/client.json',
    'https://192.168.0.1/client.json',
    'https://169.254.169.254/latest/meta-data',
    'https://metadata.google.internal/computeMetadata',
    'https://[::ffff:7f00:1]/client.json',
    'https://intranet/client.json',
    'https://app.example:22/client.json',
  ])('is not looked for in the own network: %s', async (clientId) => {
    expect(await pageOf(strict.authorizeUrl(clientId))).toMatchObject({
      status: 400,
      error: 'invalid_client',
    });
  });

  it.each([
    ['plain http', 'http://app.example/client.json'],
    ['without a path', 'https://app.example/'],
    ['with a user', 'https://x@app.example/client.json'],
    ['with a fragment', `${DOCUMENT}#x`],
    ['with a query', `${DOCUMENT}?x`],
    ['that climbs', 'https://app.example/x/../client.json'],
    ['in another spelling', 'https://APP.example/client.json'],
    ['of another scheme', 'ftp://app.example/client.json'],
    ['that is a script', 'javascript:alert(1)'],
  ])('has no address %s', async (_title, clientId) => {
    expect(await pageOf(bench.authorizeUrl(clientId))).toMatchObject({ error: 'invalid_client' });
    expect(fetched).toEqual([]);
  });

  it.each<[string, unknown, object]>([
    ['names another client', documentOf({ client_id: 'https://other.example/client.json' }), {}],
    ['names nobody', documentOf({ client_id: undefined }), {}],
    ['is not there', documentOf(), { status: 404 }],
    ['is a page', documentOf(), { type: 'text/html' }],
    ['is a list', [documentOf()], {}],
    ['is half', '{"client_id":', {}],
    ['is huge', documentOf({ more: 'x'.repeat(20_000) }), {}],
  ])('that %s is none', async (_title, body, more) => {
    serve(body, more);
    const { error, text } = await pageOf(bench.authorizeUrl(DOCUMENT));
    expect(error).toBe('invalid_client');
    // A stranger does not learn what is to be found where.
    expect(text).toContain('The document of the client cannot be used.');
  });

  it('does not make addresses usable that nobody may be sent to', async () => {
    serve(documentOf({ redirect_uris: ['javascript:alert(1)', 'com.example.app:/callback', REDIRECT] }));
    expect((await fetch(bench.authorizeUrl(DOCUMENT))).status).toBe(200);
    for (const redirect of ['javascript:alert(1)', 'com.example.app:/callback'])
      expect(await pageOf(bench.authorizeUrl(DOCUMENT, { redirect_uri: redirect }))).toMatchObject({
        error: 'invalid_request',
      });
  });

  it('is fetched once as long as it may be kept, and a fault for half a minute', async () => {
    serve(documentOf(), { maxAge: 120 });
    for (const seconds of [0, 119]) {
      bench.advance(seconds);
      expect((await fetch(bench.authorizeUrl(DOCUMENT))).status).toBe(200);
    }
    expect(fetched).toHaveLength(1);
    bench.advance(2);
    sites.clear();
    for (let count = 0; count < 3; count += 1)
      expect(await pageOf(bench.authorizeUrl(DOCUMENT))).toMatchObject({ error: 'invalid_client' });
    expect(fetched).toHaveLength(2);
  });

  it('is fetched so often only on the account of one façade, and what is kept goes on', async () => {
    serve(documentOf());
    expect((await fetch(bench.authorizeUrl(DOCUMENT))).status).toBe(200);
    const unknown = (index: number) => `https://app.example/other-${index}.json`;
    let busy: string | undefined;
    for (let index = 0; index < 70 && busy !== 'temporarily_unavailable'; index += 1)
      busy = (await pageOf(bench.authorizeUrl(unknown(index)))).error;
    expect(busy).toBe('temporarily_unavailable');
    expect(fetched.length).toBeLessThanOrEqual(62);
    expect((await fetch(bench.authorizeUrl(DOCUMENT))).status).toBe(200);
  });

  it('counts only where its host is one of those that are let in', async () => {
    const only = (clientHosts: readonly string[] | undefined) =>
      bench.change((tenant) => ({
        ...tenant,
        issuers: tenant.issuers.map((issuer) => {
          if (issuer.facade === undefined) return issuer;
          const { clientHosts: _, ...facade } = issuer.facade;
          return { ...issuer, facade: { ...facade, ...(clientHosts === undefined ? {} : { clientHosts }) } };
        }),
      }));
    serve(documentOf());
    only(['other.example', '*.client.example']);
    expect(await pageOf(bench.authorizeUrl(DOCUMENT))).toMatchObject({ error: 'invalid_client' });
    expect(fetched).toEqual([]);
    only(['app.example']);
    expect(await pageOf(bench.authorizeUrl(DOCUMENT))).toMatchObject({ error: 'invalid_redirect_uri' });
    only(['app.example', 'client.example']);
    expect((await fetch(bench.authorizeUrl(DOCUMENT))).status).toBe(200);
    only(undefined);
  });
});
