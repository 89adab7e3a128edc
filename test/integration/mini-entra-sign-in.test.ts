// The sign-in page of mini-entra and its codes: as strict as the thing it stands in for, or a client's fault would pass here.

import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, APPLICATIONS, CONTOSO_TID, DIRECTORIES, withEndpoints } from '#demo/directory.ts';
import { createMiniEntra, type MiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { requestToken } from '#test/support/token-world.ts';

const GATEWAY = 'https://gw.example';
const ENDPOINT = `${GATEWAY}/mcp/tracker`;
const REDIRECT = 'http://localhost:1234/callback';

const verifier = randomBytes(32).toString('base64url');

let provider: MiniEntra;
beforeAll(async () => {
  const applications = withEndpoints(APPLICATIONS, GATEWAY);
  provider = await createMiniEntra({ directories: DIRECTORIES, applications, port: 0 });
});
afterAll(() => provider.close());

type Changes = Readonly<Record<string, string | undefined>>;

const filled = (fields: Changes): URLSearchParams => {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form;
};

const addressWith = (changes: Changes = {}): string => {
  const query = filled({
    client_id: APPLICATION_IDS.demoCli,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: `${ENDPOINT}/tools.use`,
    resource: ENDPOINT,
    state: 'a&b',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  });
  return `${provider.origin}/${CONTOSO_TID}/oauth2/v2.0/authorize?${query}`;
};

const refusalOf = async (changes: Changes): Promise<unknown> => {
  const answer = await fetch(addressWith(changes), { redirect: 'manual' });
  if (answer.status === 200) return 'page';
  expect(answer.headers.has('location')).toBe(false);
  return ((await answer.json()) as { error_codes: number[] }).error_codes[0];
};

const signIn = async (changes: Changes = {}, password = 'alice-demo-password'): Promise<Response> =>
  fetch(addressWith(changes), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ username: 'alice', password }),
  });

const codeFrom = (answer: Response): string =>
  new URL(answer.headers.get('location') ?? 'none:').searchParams.get('code') ?? '';

const redeem = async (code: string, changes: Changes = {}) => {
  const form = filled({
    grant_type: 'authorization_code',
    client_id: APPLICATION_IDS.demoCli,
    redirect_uri: REDIRECT,
    code,
    code_verifier: verifier,
    resource: ENDPOINT,
    ...changes,
  });
  const { body } = await requestToken(provider, CONTOSO_TID, { form: Object.fromEntries(form) });
  return { token: body['access_token'], code: (body['error_codes'] as number[] | undefined)?.[0] };
};

describe('the sign-in', () => {
  it('leads back with a code that opens once', async () => {
    const answer = await signIn();
    const back = new URL(answer.headers.get('location') ?? '');
    expect([answer.status, back.origin + back.pathname, back.searchParams.get('state')]).toEqual([
      302,
      REDIRECT,
      'a&b',
    ]);
    const { token } = await redeem(codeFrom(answer));
    expect(decodeJwt(String(token))).toMatchObject({ aud: APPLICATION_IDS.gatewayTracker, scp: 'tools.use' });
    expect((await redeem(codeFrom(answer))).code).toBe(70008);
  });

  it('shows the page again to whoever gives a wrong password', async () => {
    const answer = await signIn({}, 'wrong');
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null]);
  });

  it('carries the claims that a step-up asks for into the token', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    const { token } = await redeem(codeFrom(await signIn({ claims })));
    expect(decodeJwt(String(token))['acrs']).toEqual(['c1']);
  });

  it.each<[string, Changes, number | 'page']>([
    ['another port of this machine', { redirect_uri: 'http://127.0.0.1:9/callback' }, 'page'],
    [
      'no resource, as some clients do',
      { resource: undefined, scope: 'api://gateway-tracker/tools.use' },
      'page',
    ],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }, 50011],
    ['a host that begins alike', { redirect_uri: 'http://localhost.evil.example/callback' }, 50011],
    ['a user before the host', { redirect_uri: 'http://localhost:1@evil.example/callback' }, 50011],
    ['another path', { redirect_uri: 'http://localhost:1234/elsewhere' }, 50011],
    ['an unknown client', { client_id: CONTOSO_TID }, 700016],
    ['no challenge', { code_challenge: undefined }, 9002325],
    ['a plain challenge', { code_challenge_method: 'plain' }, 9002325],
    ['no scope', { scope: undefined }, 900144],
    ['a scope that nothing qualifies', { scope: 'tools.use' }, 500011],
    ['scopes of another URI than the resource', { scope: 'api://gateway-tracker/tools.use' }, 9010010],
    ['a resource with a slash at its end', { resource: `${ENDPOINT}/` }, 9010010],
  ])('judges the request: %s', async (_title, changes, expected) => {
    expect(await refusalOf(changes)).toBe(expected);
  });
});

describe('a code', () => {
  it.each<[string, Changes, number]>([
    ['another verifier', { code_verifier: 'x'.repeat(43) }, 50148],
    ['no verifier', { code_verifier: undefined }, 50148],
    ['another address', { redirect_uri: 'http://localhost:1/callback' }, 70000],
    ['another resource', { resource: `${GATEWAY}/mcp/reports` }, 9010010],
    ['no resource', { resource: undefined }, 9010010],
    ['wider scopes at the end', { scope: 'api://tracker/tracker.access' }, 9010010],
  ])('is worth nothing with %s', async (_title, changes, expected) => {
    const code = codeFrom(await signIn());
    expect((await redeem(code, changes)).code).toBe(expected);
    expect((await redeem(code)).code).toBe(70008);
  });
});
