// A sign-in at the façade that somebody wants to bend: to skip the person's consent, to finish in another browser, to answer in
// the provider's place, to reach another server's or tenant's tokens, or to make a redirect of our address (threats 15, 16).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTOSO_TID } from '#demo/directory.ts';
import {
  type FacadeBench,
  type Form,
  GATEWAY,
  REDIRECT,
  startFacadeBench,
  TRACKER,
} from '#test/support/facade-bench.ts';
import {
  consentFormOf,
  createFacadePerson,
  type FacadePerson,
  type Visited,
} from '#test/support/facade-person.ts';

let bench: FacadeBench;
let client: string;
beforeAll(async () => {
  bench = await startFacadeBench();
  client = await bench.register();
});
afterAll(() => bench?.stop());

/** Error of a page that sends nobody anywhere; undefined if it is none. */
const errorOf = ({ headers, text }: Visited): string | undefined => {
  const error = /Error: <code>(\w+)</.exec(text)?.[1];
  if (error !== undefined) {
    expect(headers.has('location')).toBe(false);
    expect(text).not.toContain('http-equiv');
  }
  return error;
};

const refusedAt = async (changes: Form): Promise<string | undefined> => {
  const page = await createFacadePerson().visit(bench.authorizeUrl(client, changes));
  expect(page.status).toBeGreaterThanOrEqual(400);
  return errorOf(page);
};

/** As far as the provider's own page, which is not answered yet. */
const toProvider = async (person: FacadePerson, id = client, changes: Form = {}): Promise<URL> => {
  const asked = await person.visit(bench.authorizeUrl(id, changes));
  const onward = await person.answer(asked, 'allow');
  const address = /content="0;url=([^"]*)"/.exec(onward.text)?.[1]?.replace(/&#38;/g, '&');
  return new URL(address ?? 'about:blank');
};

/** Where the provider sends the person back to. */
const wayBack = async (person: FacadePerson, id = client): Promise<URL> => {
  const body = new URLSearchParams({ username: 'alice', password: 'alice-demo-password' });
  const page = await person.visit((await toProvider(person, id)).href, { method: 'POST', body });
  return new URL(page.headers.get('location') ?? '');
};

describe('a request for authorization', () => {
  it.each<[string, Form, string]>([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with PKCE that protects nothing', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with PKCE of no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['with a short challenge', { code_challenge: 'short' }, 'invalid_request'],
    ['for a token in the address', { response_type: 'token' }, 'unsupported_response_type'],
    ['for a code and a token', { response_type: 'code token' }, 'unsupported_response_type'],
    ['for an answer behind a hash', { response_mode: 'fragment' }, 'invalid_request'],
    ['without resource', { resource: undefined }, 'invalid_target'],
    ['for a server of another tenant', { resource: `${GATEWAY}/t/acme/mcp/tracker` }, 'invalid_target'],
    ['for no server', { resource: `${GATEWAY}/mcp/nothing` }, 'invalid_target'],
    ['for the gateway as a whole', { resource: GATEWAY }, 'invalid_target'],
    [
      'for a server of another gateway',
      { resource: 'https://gw.example.evil.example/mcp/tracker' },
      'invalid_target',
    ],
    ['for a server in another spelling', { resource: `${TRACKER}/` }, 'invalid_target'],
    ['for a server with a query', { resource: `${TRACKER}?x` }, 'invalid_target'],
    ['for Microsoft Graph', { resource: 'https://graph.microsoft.com' }, 'invalid_target'],
    ['for rights at Microsoft Graph', { scope: 'https://graph.microsoft.com/Mail.Read' }, 'invalid_scope'],
    ['for rights at another server', { scope: `${GATEWAY}/mcp/reports/tools.use` }, 'invalid_scope'],
    ['for all rights there are', { scope: `${TRACKER}/.default` }, 'invalid_scope'],
    ['for more than its own server has', { scope: `${TRACKER}/tools.use ${TRACKER}/admin` }, 'invalid_scope'],
    ['with an endless state', { state: 'x'.repeat(2_000) }, 'invalid_request'],
    ['with an endless hint', { login_hint: 'x'.repeat(2_000) }, 'invalid_request'],
    ['of nobody', { client_id: undefined }, 'invalid_request'],
  ])('%s is refused on a page, and redirects nobody', async (_title, changes, error) => {
    expect(await refusedAt(changes)).toBe(error);
  });

  it('that says a thing twice is refused', async () => {
    const twice = `${bench.authorizeUrl(client)}&redirect_uri=${encodeURIComponent('https://evil.example/')}`;
    expect(errorOf(await createFacadePerson().visit(twice))).toBe('invalid_request');
  });

  it('is for an issuer that has a façade, and is in force', async () => {
    for (const path of ['/t/default/i/fabrikam', '/t/default/i/nobody', '/t/nobody/i/contoso'])
      expect((await fetch(`${bench.url}${path}/authorize`)).status).toBe(404);
  });

  it('sends the provider neither resource nor anything else of the client but hints', async () => {
    const hints = { login_hint: 'alice', acr_values: 'c1', claims: '{}', evil: 'x' };
    const address = await toProvider(createFacadePerson(), client, hints);
    expect([...address.searchParams.keys()].toSorted()).toEqual(
      'acr_values claims client_id code_challenge code_challenge_method login_hint nonce redirect_uri response_type scope state'.split(
        ' ',
      ),
    );
    expect(address.searchParams.get('redirect_uri')).toBe(`${bench.issuer()}/callback`);
    expect(address.searchParams.get('scope')).toBe(`${TRACKER}/tools.use openid offline_access`);
    expect(address.searchParams.get('code_challenge')).not.toBe(
      new URL(bench.authorizeUrl(client)).searchParams.get('code_challenge'),
    );
  });
});

describe('the consent page', () => {
  it('stands in nobody’s frame, runs no script, loads nothing and is kept by nobody', async () => {
    const { headers } = await createFacadePerson().visit(bench.authorizeUrl(client));
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "base-uri 'none'",
    ])
      expect(policy).toContain(rule);
    expect(policy).not.toMatch(/script-src|unsafe|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/);
  });

  it('shows names as text, and nothing that would turn or hide the text around them', async () => {
    const name = '<img src=x onerror=alert(1)>"\u202egpj.exe\u200b\u0000 \n\n Claude';
    const said = await bench.register({ client_name: name });
    const { text } = await createFacadePerson().visit(bench.authorizeUrl(said));
    expect(text).not.toMatch(/<img|[\u202e\u200b]/);
    expect(text).not.toContain('\u0000');
    expect(text).toContain('&#60;img src=x onerror=alert(1)&#62;&#34;gpj.exe Claude');
  });

  it('says that nobody has checked the name, where the person would be sent, and for what', async () => {
    const { text } = await createFacadePerson().visit(bench.authorizeUrl(client));
    expect(text).toContain('Nobody has checked its name');
    expect(text).toContain('<strong>client.example</strong>');
    expect(text).toContain(`<code>${TRACKER}/tools.use</code>`);
  });

  it('leads back with access_denied where the person says no', async () => {
    const person = createFacadePerson();
    const onward = await person.answer(await person.visit(bench.authorizeUrl(client)), 'deny');
    const back = new URL((/content="0;url=([^"]*)"/.exec(onward.text)?.[1] ?? '').replace(/&#38;/g, '&'));
    expect(`${back.origin}${back.pathname}`).toBe(REDIRECT);
    expect(Object.fromEntries(back.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'a&b',
      iss: bench.issuer(),
    });
  });
});

describe('consent', () => {
  const send = (
    person: FacadePerson,
    sealed: string,
    headers: Record<string, string>,
    tenantId = 'default',
  ) =>
    person.visit(`${bench.issuer(tenantId)}/consent`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ request: sealed, decision: 'allow' }),
    });

  const askedIn = async (person: FacadePerson): Promise<string> =>
    consentFormOf(await person.visit(bench.authorizeUrl(client))).sealed ?? '';

  it.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example' }],
    ['a page that hides itself', { origin: 'null' }],
    ['no page', {}],
  ])('that comes from %s is none', async (_title, headers) => {
    const person = createFacadePerson();
    expect(errorOf(await send(person, await askedIn(person), headers))).toBe('invalid_request');
  });

  it('to a page that the attacker was shown is none of the victim', async () => {
    const sealed = await askedIn(createFacadePerson());
    const victim = createFacadePerson();
    await askedIn(victim);
    expect(errorOf(await send(victim, sealed, { origin: bench.url }))).toBe('invalid_request');
    expect(errorOf(await send(createFacadePerson(), sealed, { origin: bench.url }))).toBe('invalid_request');
  });

  it('with two cookies, one of them slipped in, is none', async () => {
    const person = createFacadePerson();
    const sealed = await askedIn(person);
    const [pair = ''] = person.cookies(bench.url);
    const headers = { origin: bench.url, cookie: `${pair}; mcpgw-browser=${'A'.repeat(43)}` };
    expect(errorOf(await send(person, sealed, headers))).toBe('invalid_request');
  });

  it.each<[string, (sealed: string) => string]>([
    ['made up', () => `${'A'.repeat(8)}.${'B'.repeat(80)}`],
    ['changed', (sealed) => `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`],
    ['left out', () => ''],
    ['the id of a client, which is sealed under the same key', () => client],
  ])('to a request that is %s is none', async (_title, change) => {
    const person = createFacadePerson();
    const sealed = change(await askedIn(person));
    expect(errorOf(await send(person, sealed, { origin: bench.url }))).toBe('invalid_request');
  });

  it('at one façade is none at another tenant’s', async () => {
    const person = createFacadePerson();
    const sealed = await askedIn(person);
    expect(errorOf(await send(person, sealed, { origin: bench.url }, 'acme'))).toBe('invalid_request');
  });

  it('to a page of an hour ago is none', async () => {
    const person = createFacadePerson();
    const sealed = await askedIn(person);
    bench.advance(3_600);
    expect(errorOf(await send(person, sealed, { origin: bench.url }))).toBe('invalid_request');
  });

  it('is asked for once for the same client, place, server and scopes, and again a month later', async () => {
    const person = createFacadePerson();
    const signInAgain = () => person.signIn(bench.authorizeUrl(client), REDIRECT);
    await signInAgain();
    await signInAgain();
    expect(person.asked).toHaveLength(1);
    bench.advance(31 * 24 * 3600);
    await signInAgain();
    expect(person.asked).toHaveLength(2);
  });

  it('for one client is none for another, nor for another place, server or browser', async () => {
    const places = [REDIRECT, 'https://elsewhere.example/callback'];
    const known = await bench.register({ redirect_uris: places });
    const impostor = await bench.register({ redirect_uris: places });
    const person = createFacadePerson();
    await person.signIn(bench.authorizeUrl(known), REDIRECT);
    const isAsked = async (who: FacadePerson, id: string, changes: Form = {}): Promise<boolean> =>
      consentFormOf(await who.visit(bench.authorizeUrl(id, changes))).sealed !== undefined;
    expect(await isAsked(person, known)).toBe(false);
    expect(await isAsked(person, impostor)).toBe(true);
    expect(await isAsked(person, known, { redirect_uri: places[1] })).toBe(true);
    expect(await isAsked(person, known, { resource: `${GATEWAY}/mcp/reports` })).toBe(true);
    const thief = createFacadePerson();
    await thief.visit(bench.authorizeUrl(known));
    const consents = person.cookies(bench.url).find((pair) => pair.startsWith('mcpgw-consents='));
    thief.setCookie(bench.url, consents ?? '');
    expect(await isAsked(thief, known)).toBe(true);
  });

  it('of a client on this machine is asked for each time: any program can listen there', async () => {
    const redirect = 'http://127.0.0.1:1234/callback';
    const local = await bench.register({ redirect_uris: [redirect] });
    const person = createFacadePerson();
    for (const times of [1, 2]) {
      await person.signIn(bench.authorizeUrl(local, { redirect_uri: redirect }), redirect);
      expect(person.asked).toHaveLength(times);
    }
  });
});

describe('the way back from the provider', () => {
  it('works once', async () => {
    const person = createFacadePerson();
    const back = await wayBack(person);
    const first = await person.visit(back.href);
    expect(first.headers.get('location')).toMatch(/^https:\/\/client\.example\/callback\?code=/);
    expect(errorOf(await person.visit(back.href))).toBe('invalid_request');
  });

  it('works in the browser it was begun in', async () => {
    const back = await wayBack(createFacadePerson());
    const victim = createFacadePerson();
    expect(errorOf(await victim.visit(back.href))).toBe('invalid_request');
    await victim.visit(bench.authorizeUrl(client));
    expect(errorOf(await victim.visit(back.href))).toBe('invalid_request');
  });

  it('works for a while', async () => {
    const person = createFacadePerson();
    const back = await wayBack(person);
    bench.advance(3_600);
    expect(errorOf(await person.visit(back.href))).toBe('invalid_request');
  });

  it.each<[string, (back: URL) => void]>([
    ['without state', (back) => back.searchParams.delete('state')],
    ['with a state that was made up', (back) => back.searchParams.set('state', 'made-up')],
    ['with the consent page’s own request as state', (back) => back.searchParams.set('state', client)],
    ['with two states', (back) => back.searchParams.append('state', back.searchParams.get('state') ?? '')],
    [
      'at another tenant’s façade',
      (back) => {
        back.pathname = back.pathname.replace('/default/', '/acme/');
      },
    ],
    ['from another provider', (back) => back.searchParams.set('iss', 'https://evil.example')],
  ])('is not taken %s', async (_title, change) => {
    const person = createFacadePerson();
    const back = await wayBack(person);
    change(back);
    expect(errorOf(await person.visit(back.href))).toBe('invalid_request');
  });

  it('is taken from the provider by its own name', async () => {
    const person = createFacadePerson();
    const back = await wayBack(person);
    const iss = bench.provider.issuer(CONTOSO_TID);
    back.searchParams.set('iss', iss);
    expect((await person.visit(back.href)).headers.get('location')).toContain('code=');
  });

  it('with the code of another sign-in gives its client nothing', async () => {
    const [victim, attacker] = [createFacadePerson(), createFacadePerson('bob')];
    const [back, stolen] = [await wayBack(victim), await wayBack(attacker)];
    back.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    const location = new URL((await victim.visit(back.href)).headers.get('location') ?? '');
    const form = bench.codeForm(client, location.searchParams.get('code') ?? '');
    expect(await bench.token(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('with an error of the provider tells the client which, and none of the provider’s words', async () => {
    const person = createFacadePerson();
    const { searchParams } = await toProvider(person);
    const told = async (error: string) => {
      const back = new URL(`${bench.issuer()}/callback`);
      back.search = new URLSearchParams({
        error,
        error_description: 'AADSTS50105: alice@contoso.example is not assigned',
        state: searchParams.get('state') ?? '',
      }).toString();
      return new URL((await person.visit(back.href)).headers.get('location') ?? '');
    };
    const location = await told('access_denied');
    expect(`${location.origin}${location.pathname}`).toBe(REDIRECT);
    expect(location.searchParams.get('error')).toBe('access_denied');
    expect(location.href).not.toMatch(/AADSTS|alice/);
  });

  it('is not taken where nobody can say whether it came before', async () => {
    const person = createFacadePerson();
    const other = await startFacadeBench();
    try {
      const id = await other.register();
      const asked = await person.visit(other.authorizeUrl(id));
      const onward = await person.answer(asked, 'allow');
      const address = (/content="0;url=([^"]*)"/.exec(onward.text)?.[1] ?? '').replace(/&#38;/g, '&');
      const body = new URLSearchParams({ username: 'alice', password: 'alice-demo-password' });
      const page = await person.visit(address, { method: 'POST', body });
      await other.state.stop();
      expect(errorOf(await person.visit(page.headers.get('location') ?? ''))).toBe('temporarily_unavailable');
    } finally {
      await other.stop();
    }
  });
});
