// Opaque tokens, issuers that lie about them, and those who would like a token to be shown to the wrong party: the identity
// part of ext-authz as it runs, against an identity provider that none of us wrote.
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DpopMode } from '#core/dpop.ts';
import type { Introspection, TrustedIssuer } from '#core/issuer.ts';
import type { Reason } from '#core/reason.ts';
import type { Tenant } from '#core/tenant.ts';
import { createProofKey, signProof } from '#test/support/dpop-keys.ts';
import { ENDPOINT_URL, type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import {
  createTestKey,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  testTenant,
} from '#test/support/token-issuer.ts';

const RESOURCE = 'https://gw.example/mcp/tracker';
const OTHER = 'https://gw.example/mcp/reports';
const REDIRECT = 'http://127.0.0.1/callback';
const ROBOT = { clientId: 'robot', clientSecret: 'robot-secret' };
const SECRET = 'secret of the gateway: /+&=%';
const QUESTIONS = '/token/introspection';

let provider: OidcProvider;
let bench: IdentityBench;
/** A person's token. */
let token: string;

const tokenOf = (resource: string): Promise<string> =>
  provider.userToken({
    clientId: 'desktop',
    redirectUri: REDIRECT,
    resource,
    scope: 'tools.use',
    account: 'alice',
  });

beforeAll(async () => {
  provider = await startOidcProvider({
    resources: {
      [RESOURCE]: { scope: 'tools.use', format: 'opaque' },
      [OTHER]: { scope: 'tools.use', format: 'opaque' },
    },
    clients: [
      { client_id: 'gateway', client_secret: SECRET },
      { client_id: ROBOT.clientId, client_secret: ROBOT.clientSecret, tokenClaims: { sub: 'robot' } },
      {
        client_id: 'desktop',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
      },
    ],
    accounts: { alice: { groups: ['engineers'] } },
    introspection: true,
    dpop: true,
  });
  token = await tokenOf(RESOURCE);
});
afterAll(() => provider?.stop());

beforeEach(async () => {
  bench = await startIdentityBench([publishKey(KEY)], {
    secrets: { 'default/gateway': SECRET },
    maxOpenQuestions: 4,
  });
  provider.requests.length = 0;
});
afterEach(async () => {
  provider.intercept = undefined;
  await bench.stop();
});

const KEY = createTestKey('good');
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const askedIssuer = (changes: Partial<Introspection> = {}, id = 'oidc'): TrustedIssuer =>
  oidcIssuer(bench.keyServer.url, {
    id,
    issuer: provider.issuer,
    introspection: {
      endpoint: `${provider.issuer}${QUESTIONS}`,
      clientId: 'gateway',
      secretName: 'gateway',
      maxAgeSeconds: 30,
      ...changes,
    },
  });

const tenantWith = (issuers: readonly TrustedIssuer[], dpop?: DpopMode): Tenant => {
  const tenant = testTenant(issuers);
  const servers = tenant.servers.map((server) => ({
    ...server,
    bindings: server.bindings.map((binding) => ({
      ...binding,
      audiences: [RESOURCE],
      ...(dpop === undefined ? {} : { dpop }),
    })),
  }));
  return { ...tenant, servers };
};

const outcomeOf = (
  credential: string,
  { tenant = tenantWith([askedIssuer()]), at = nowSeconds() }: { tenant?: Tenant; at?: number } = {},
): Promise<string> => bench.outcomeOf(credential, tenant, at);

const questions = (): number => provider.requests.filter((path) => path === QUESTIONS).length;

type Lie = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };

/** The issuer's answers from now on. */
const answerWith = (answer: (response: ServerResponse) => void): void => {
  provider.intercept = (request, response) => {
    if (request.url !== QUESTIONS) return undefined;
    answer(response);
    return true;
  };
};

const lie = ({ status = 200, headers = {}, body = '' }: Lie): void =>
  answerWith((response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body),
  );

const claims = (changes: object = {}): object => ({
  active: true,
  iss: provider.issuer,
  aud: RESOURCE,
  sub: 'alice',
  client_id: 'desktop',
  scope: 'tools.use',
  token_type: 'Bearer',
  iat: nowSeconds() - 10,
  exp: nowSeconds() + 600,
  ...changes,
});

describe('an opaque token', () => {
  it('is taken for what its issuer says of it', async () => {
    const tenant = tenantWith([askedIssuer()]);
    const result = await bench.present({
      headers: { authorization: [`Bearer ${token}`] },
      tenant,
      nowSeconds: nowSeconds(),
    });
    expect(result).toMatchObject({
      ok: true,
      value: {
        identity: {
          kind: 'user',
          subject: 'alice',
          app: 'desktop',
          groups: ['engineers'],
          audience: RESOURCE,
        },
      },
    });
    const application = await provider.clientToken({ ...ROBOT, resource: RESOURCE, scope: 'tools.use' });
    expect(await outcomeOf(application)).toBe('app');
  });

  it('is asked about once while the answer is believed, and anew after that', async () => {
    const at = nowSeconds();
    for (let second = 0; second < 30; second += 1)
      expect(await outcomeOf(token, { at: at + second })).toBe('user');
    expect(questions()).toBe(1);
    lie({ body: '{"active":false}' });
    expect(await outcomeOf(token, { at: at + 29 })).toBe('user');
    expect(await outcomeOf(token, { at: at + 30 })).toBe('token_inactive');
  });

  it('is asked about with every call where no answer may be kept', async () => {
    const tenant = tenantWith([askedIssuer({ maxAgeSeconds: 0 })]);
    for (let i = 0; i < 3; i += 1) expect(await outcomeOf(token, { tenant })).toBe('user');
    expect(questions()).toBe(3);
  });

  it('is asked about once by many calls at the same time', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcomeOf(token)));
    expect(new Set(outcomes)).toEqual(new Set(['user']));
    expect(questions()).toBe(1);
  });

  it('ends when it says it does, whatever is remembered', async () => {
    const at = nowSeconds();
    lie({ body: JSON.stringify(claims({ exp: at + 5 })) });
    expect(await outcomeOf(token, { at })).toBe('user');
    expect(await outcomeOf(token, { at: at + 29 })).toBe('user');
    const strict = { ...askedIssuer(), clockToleranceSeconds: 0 };
    const tenant = tenantWith([strict]);
    expect(await outcomeOf(token, { tenant, at })).toBe('user');
    expect(await outcomeOf(token, { tenant, at: at + 5 })).toBe('token_expired');
  });

  it('that is not active costs its issuer one question in ten seconds', async () => {
    const at = nowSeconds();
    for (let second = 0; second < 10; second += 1)
      expect(await outcomeOf('never-issued', { at: at + second })).toBe('token_inactive');
    expect(questions()).toBe(1);
    expect(await outcomeOf('never-issued', { at: at + 10 })).toBe('token_inactive');
    expect(questions()).toBe(2);
  });

  it('of another server of the same issuer is refused', async () => {
    expect(await outcomeOf(await tokenOf(OTHER))).toBe('audience_mismatch');
  });

  it('that is bound to a key needs a proof of it', async () => {
    const holder = await createProofKey();
    const endpoint = `${provider.issuer}/token`;
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${ROBOT.clientId}:${ROBOT.clientSecret}`)}`,
        dpop: await signProof(holder, { method: 'POST', url: endpoint }),
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'tools.use' }),
    });
    const { access_token: bound } = (await answer.json()) as { access_token: string };
    const tenant = tenantWith([askedIssuer()], 'offered');
    const present = async (key = holder): Promise<string> => {
      const proof = await signProof(key, { method: 'POST', url: ENDPOINT_URL, token: bound });
      const headers = { authorization: [`DPoP ${bound}`], dpop: [proof] };
      const result = await bench.present({ headers, tenant, nowSeconds: nowSeconds() });
      return result.ok ? result.value.identity.kind : result.error.reason;
    };
    expect([await present(), await present()]).toEqual(['app', 'app']);
    expect(await present(await createProofKey())).toBe('dpop_key_mismatch');
    expect(await outcomeOf(bound, { tenant })).toBe('dpop_scheme_required');
    expect(questions()).toBe(1);
  });
});

describe('an issuer that is asked', () => {
  it.each<[string, () => Lie, Reason]>([
    // What is no answer
    ['"active" as text', () => ({ body: '{"active":"true"}' }), 'introspection_answer_invalid'],
    ['"active" as a number', () => ({ body: '{"active":1}' }), 'introspection_answer_invalid'],
    ['no "active"', () => ({ body: '{"sub":"alice"}' }), 'introspection_answer_invalid'],
    ['"active" twice', () => ({ body: '{"active":false,"active":true}' }), 'introspection_answer_invalid'],
    ['a list', () => ({ body: '[{"active":true}]' }), 'introspection_answer_invalid'],
    ['true alone', () => ({ body: 'true' }), 'introspection_answer_invalid'],
    ['nothing', () => ({ body: '' }), 'introspection_answer_invalid'],
    [
      'a page',
      () => ({ body: '<html>', headers: { 'content-type': 'text/html' } }),
      'introspection_answer_invalid',
    ],
    [
      'the right thing under the wrong type',
      () => ({ body: JSON.stringify(claims()), headers: { 'content-type': 'text/plain' } }),
      'introspection_answer_invalid',
    ],
    [
      'more than anyone reads',
      () => ({ body: JSON.stringify(claims({ x: 'x'.repeat(300_000) })) }),
      'introspection_unavailable',
    ],
    [
      'a redirect',
      () => ({ status: 307, headers: { location: `${provider.issuer}/elsewhere` } }),
      'introspection_unavailable',
    ],
    [
      'a fault of its own',
      () => ({ status: 500, body: JSON.stringify(claims()) }),
      'introspection_unavailable',
    ],
    ['too many questions', () => ({ status: 429 }), 'introspection_unavailable'],
    ['that it does not know the gateway', () => ({ status: 401 }), 'introspection_credential_refused'],
    ['that the gateway may not ask', () => ({ status: 403 }), 'introspection_credential_refused'],

    // What is about another token
    [
      'another issuer',
      () => ({ body: JSON.stringify(claims({ iss: 'https://idp.example' })) }),
      'issuer_unknown',
    ],
    [
      'its own name with a slash',
      () => ({ body: JSON.stringify(claims({ iss: `${provider.issuer}/` })) }),
      'issuer_unknown',
    ],
    ['another audience', () => ({ body: JSON.stringify(claims({ aud: OTHER })) }), 'audience_mismatch'],
    ['no audience', () => ({ body: JSON.stringify(claims({ aud: undefined })) }), 'audience_mismatch'],
    [
      'a refresh token',
      () => ({ body: JSON.stringify(claims({ token_type: undefined })) }),
      'claims_invalid',
    ],
    [
      'a refresh token by name',
      () => ({ body: JSON.stringify(claims({ token_type: undefined, typ: 'Refresh' })) }),
      'claims_invalid',
    ],
    ['an ID token', () => ({ body: JSON.stringify(claims({ at_hash: 'x' })) }), 'claims_invalid'],
    ['another scope', () => ({ body: JSON.stringify(claims({ scope: 'openid' })) }), 'scope_insufficient'],

    // What leaves something open
    ['no end', () => ({ body: JSON.stringify(claims({ exp: undefined })) }), 'claims_invalid'],
    ['an end as text', () => ({ body: JSON.stringify(claims({ exp: '9999999999' })) }), 'claims_invalid'],
    [
      'an end that has passed',
      () => ({ body: JSON.stringify(claims({ exp: nowSeconds() - 31, iat: nowSeconds() - 60 })) }),
      'token_expired',
    ],
    [
      'a beginning to come',
      () => ({ body: JSON.stringify(claims({ nbf: nowSeconds() + 60 })) }),
      'token_not_yet_valid',
    ],
    ['nobody', () => ({ body: JSON.stringify(claims({ sub: undefined })) }), 'claims_invalid'],
    [
      'a key to prove, and no key',
      () => ({ body: JSON.stringify(claims({ token_type: 'DPoP' })) }),
      'claims_invalid',
    ],
    [
      'a certificate to prove',
      () => ({ body: JSON.stringify(claims({ cnf: { 'x5t#S256': 'x'.repeat(43) } })) }),
      'token_certificate_missing',
    ],
  ])('lets nobody in by answering with %s', async (_title, make, reason) => {
    lie(make());
    expect(await outcomeOf(token)).toBe(reason);
    expect(provider.requests).not.toContain('/elsewhere');
  });

  it('may leave its own name out, and need not know the words of RFC 7662 for a kind of token', async () => {
    lie({ body: JSON.stringify(claims({ iss: undefined, token_type: undefined, typ: 'Bearer' })) });
    expect(await outcomeOf(token)).toBe('user');
  });

  it('is not waited for longer than three seconds', async () => {
    answerWith(() => undefined);
    expect(await outcomeOf(token)).toBe('introspection_unavailable');
  });

  it('is asked again after a fault: nobody is locked out by it', async () => {
    lie({ status: 500 });
    expect(await outcomeOf(token)).toBe('introspection_unavailable');
    provider.intercept = undefined;
    expect(await outcomeOf(token)).toBe('user');
  });

  it('is asked no more at once than it can bear; who is known goes on', async () => {
    expect(await outcomeOf(token)).toBe('user');
    const waiting: ServerResponse[] = [];
    answerWith((response) => void waiting.push(response));
    const first = Array.from({ length: 4 }, (_, i) => outcomeOf(`stranger-${i}`));
    await expect.poll(() => waiting.length).toBe(4);
    expect(await outcomeOf('stranger-4')).toBe('introspection_unavailable');
    expect(await outcomeOf(token)).toBe('user');
    for (const response of waiting)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":false}');
    expect(new Set(await Promise.all(first))).toEqual(new Set(['token_inactive']));
    lie({ body: '{"active":false}' });
    expect(await outcomeOf('stranger-5')).toBe('token_inactive');
  });
});

describe('a token is shown to nobody', () => {
  it('where it is signed or encrypted, whole or damaged', async () => {
    const signed = await signWith(KEY, oidcClaims({ iss: provider.issuer }));
    for (const text of [signed, `${signed}+`, signed.replace('.', '..'), 'a.b.c.d.e', '..', 'a.b.c.d'])
      expect(await outcomeOf(text)).not.toBe('user');
    expect(questions()).toBe(0);
  });

  it('where the server has no issuer to ask, or one that is disabled or not bound', async () => {
    const asked = askedIssuer();
    const { introspection: _, ...plain } = asked;
    const unbound = { ...tenantWith([plain]), issuers: [plain, { ...asked, id: 'unbound' }] };
    for (const tenant of [tenantWith([plain]), tenantWith([{ ...asked, enabled: false }]), unbound])
      expect(await outcomeOf(token, { tenant })).toBe('token_malformed');
    expect(questions()).toBe(0);
  });

  it('where two issuers could be asked', async () => {
    const tenant = tenantWith([askedIssuer(), askedIssuer({}, 'second')]);
    expect(await outcomeOf(token, { tenant })).toBe('issuer_unknown');
    expect(questions()).toBe(0);
  });

  it('where the gateway has no secret of this tenant, though another tenant has one of that name', async () => {
    const tenant = { ...tenantWith([askedIssuer()]), id: 'acme' };
    expect(await outcomeOf(token, { tenant })).toBe('introspection_credential_refused');
    expect(await outcomeOf(token)).toBe('user');
    expect(await outcomeOf(token, { tenant })).toBe('introspection_credential_refused');
    expect(questions()).toBe(1);
  });

  it('by its refusals', async () => {
    const headers = { authorization: [`Bearer ${token}`] };
    for (const answer of [{ body: '{"active":"true"}' }, { status: 401 }, { status: 500 }, { body: 'x' }]) {
      lie(answer);
      const tenant = tenantWith([askedIssuer()]);
      const text = JSON.stringify(await bench.present({ headers, tenant, nowSeconds: nowSeconds() }));
      expect(text).not.toContain(token);
      expect(text).not.toContain(SECRET.slice(0, 10));
    }
  });
});
