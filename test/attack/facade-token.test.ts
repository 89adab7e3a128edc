// Codes and refresh tokens of the façade in other hands than those they were given to, or twice in the same (threats 16, 21).

import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import {
  type FacadeBench,
  type Form,
  GATEWAY,
  REDIRECT,
  startFacadeBench,
  TRACKER,
} from '#test/support/facade-bench.ts';

let bench: FacadeBench;
let client: string;
let code: string;
beforeAll(async () => {
  bench = await startFacadeBench();
  client = await bench.register();
});
beforeEach(async () => {
  code = await bench.codeFor(client);
});
afterAll(() => bench?.stop());

const redeem = (changes: Form = {}) => bench.token(bench.codeForm(client, code, changes));

const refreshWith = (refreshToken: unknown, changes: Form = {}) =>
  bench.token({
    grant_type: 'refresh_token',
    client_id: client,
    refresh_token: String(refreshToken),
    ...changes,
  });

describe('a code', () => {
  it('gives the provider’s own token, and nothing else that is the provider’s', async () => {
    const { status, body } = await redeem();
    expect(status).toBe(200);
    expect(Object.keys(body).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ]);
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toMatchObject({ aud: APPLICATION_IDS.gatewayTracker, azp: APPLICATION_IDS.gatewayFacade });
  });

  it.each<[string, Form, string]>([
    ['with another verifier', { code_verifier: randomBytes(32).toString('base64url') }, 'invalid_grant'],
    [
      'with the challenge as verifier',
      { code_verifier: createHash('sha256').digest('base64url') },
      'invalid_grant',
    ],
    ['without verifier', { code_verifier: undefined }, 'invalid_grant'],
    ['with another address', { redirect_uri: `${REDIRECT}/other` }, 'invalid_grant'],
    ['without address', { redirect_uri: undefined }, 'invalid_grant'],
    ['for another server', { resource: `${GATEWAY}/mcp/reports` }, 'invalid_target'],
    ['of no client', { client_id: undefined }, 'invalid_grant'],
    ['that was made up', { code: `${'A'.repeat(8)}.${'B'.repeat(80)}` }, 'invalid_grant'],
    ['that is missing', { code: undefined }, 'invalid_grant'],
    ['as another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('%s is refused, and its owner can still use it', async (_title, changes, error) => {
    expect(await redeem(changes)).toMatchObject({ status: 400, body: { error } });
    expect((await redeem()).status).toBe(200);
  });

  it('of one client is nothing to another, who has the verifier', async () => {
    const other = await bench.register();
    expect(await redeem({ client_id: other })).toMatchObject({ body: { error: 'invalid_grant' } });
  });

  it('of one tenant’s façade is nothing to another’s', async () => {
    const form = bench.codeForm(client, code);
    expect(await bench.token(form, 'acme')).toMatchObject({ body: { error: 'invalid_grant' } });
  });

  it('lasts a minute', async () => {
    bench.advance(61);
    expect(await redeem()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('is good once, and used twice it takes along what came of it', async () => {
    const first = await redeem();
    expect(await redeem()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const refreshed = await refreshWith(first.body['refresh_token']);
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(bench.log()).toContain('"detail":"replay"');
  });

  it('is good once also for two who come at the same moment', async () => {
    const answers = await Promise.all([redeem(), redeem(), redeem()]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('gives no refresh token to a client that did not say that it uses them', async () => {
    const plain = await bench.register({ grant_types: ['authorization_code'] });
    const answer = await bench.token(bench.codeForm(plain, await bench.codeFor(plain)));
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('refresh_token');
  });

  it.each<[string, Parameters<FacadeBench['provider']['control']['faults']['add']>[0], number, string]>([
    ['throttles', { kind: 'throttled', times: 1 }, 503, 'temporarily_unavailable'],
    ['fails', { kind: 'server_error', times: 1 }, 503, 'temporarily_unavailable'],
    ['answers with a page', { kind: 'non_json', times: 1 }, 502, 'server_error'],
    ['wants a second factor', { kind: 'refusal', code: 50076, times: 1 }, 400, 'invalid_grant'],
    ['refuses the gateway', { kind: 'refusal', code: 7000215, times: 1 }, 502, 'server_error'],
  ] as never)(
    'where the provider %s, says so in OAuth’s words and none of the provider’s',
    async (_t, fault, status, error) => {
      bench.provider.control.faults.add(fault);
      const answer = await redeem();
      bench.provider.control.faults.clear();
      expect(answer).toMatchObject({ status, body: { error } });
      expect(JSON.stringify(answer.body)).not.toMatch(/AADSTS|Trace/);
    },
  );
});

describe('a refresh token', () => {
  let handle: unknown;
  beforeEach(async () => {
    handle = (await redeem()).body['refresh_token'];
  });

  it('is not the provider’s own, and works for its client', async () => {
    const answer = await refreshWith(handle);
    expect(answer.status).toBe(200);
    expect(answer.body['refresh_token']).not.toBe(handle);
    const direct = await fetch(bench.provider.tokenEndpoint('3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10'), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: APPLICATION_IDS.gatewayFacade,
        client_secret: 'gateway-facade-demo-secret',
        refresh_token: String(handle),
        scope: `${TRACKER}/tools.use`,
      }),
    });
    expect(direct.status).toBe(400);
  });

  it.each<[string, Form, string]>([
    ['of nobody', { client_id: undefined }, 'invalid_grant'],
    ['for another server', { resource: `${GATEWAY}/mcp/reports` }, 'invalid_target'],
    ['for other scopes', { scope: `${GATEWAY}/mcp/reports/tools.use` }, 'invalid_scope'],
    ['for Microsoft Graph', { scope: 'https://graph.microsoft.com/.default' }, 'invalid_scope'],
    ['that is missing', { refresh_token: undefined }, 'invalid_grant'],
  ])('%s is refused', async (_title, changes, error) => {
    expect(await refreshWith(handle, changes)).toMatchObject({ status: 400, body: { error } });
  });

  it('of one client is nothing to another, nor at another façade, nor a code', async () => {
    const other = await bench.register();
    expect(await refreshWith(handle, { client_id: other })).toMatchObject({
      body: { error: 'invalid_grant' },
    });
    const form = { grant_type: 'refresh_token', client_id: client, refresh_token: String(handle) };
    expect(await bench.token(form, 'acme')).toMatchObject({ body: { error: 'invalid_grant' } });
    expect(await redeem({ code: String(handle) })).toMatchObject({ body: { error: 'invalid_grant' } });
  });

  it('can be used again while its answer may have been lost, and by windows that ask at once', async () => {
    const [first, second] = await Promise.all([refreshWith(handle), refreshWith(handle)]);
    expect([first?.status, second?.status]).toEqual([200, 200]);
    const third = await refreshWith(handle);
    expect((await refreshWith(second?.body['refresh_token'])).status).toBe(200);
    expect(third.status).toBe(200);
  });

  it.each<[string, (handles: { old: unknown; sibling: unknown }) => unknown]>([
    ['that was followed by one in use', ({ old }) => old],
    ['whose twin is in use', ({ sibling }) => sibling],
  ])('%s ends the sign-in for whoever has it, and for its owner', async (_title, stolen) => {
    const sibling = (await refreshWith(handle)).body['refresh_token'];
    const mine = (await refreshWith(handle)).body['refresh_token'];
    const newest = (await refreshWith(mine)).body['refresh_token'];
    const answer = await refreshWith(stolen({ old: handle, sibling }));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refreshWith(newest)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('ends ninety days after the sign-in, however often it was used', async () => {
    bench.advance(60 * 24 * 3600);
    const again = await refreshWith(handle);
    expect(again.status).toBe(200);
    bench.advance(31 * 24 * 3600);
    expect(await refreshWith(again.body['refresh_token'])).toMatchObject({
      body: { error: 'invalid_grant' },
    });
  });

  it('ends with the person’s sessions at the provider', async () => {
    bench.provider.control.world.revokeSessions('alice', Math.floor(Date.now() / 1000) + 5);
    const answer = await refreshWith(handle);
    bench.provider.control.world.revokeSessions('alice', 0);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('ends where the server is no longer bound to the provider', async () => {
    const rename = (from: string, to: string) =>
      bench.change(({ servers, ...tenant }) => ({
        ...tenant,
        servers: servers.map((server) => ({
          ...server,
          bindings: server.bindings.map((binding) =>
            binding.issuerId === from ? { ...binding, issuerId: to } : binding,
          ),
        })),
      }));
    rename('contoso', 'gone');
    expect(await refreshWith(handle)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    rename('gone', 'contoso');
    expect((await refreshWith(handle)).status).toBe(200);
  });
});

describe('the token endpoint', () => {
  it('takes forms, each parameter once', async () => {
    const json = await bench.post(`${bench.issuer()}/token`, bench.codeForm(client, code));
    expect(json).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const form = new URLSearchParams({ grant_type: 'authorization_code' });
    form.append('grant_type', 'refresh_token');
    const twice = await bench.post(`${bench.issuer()}/token`, form);
    expect(twice).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('is none for GET, and lets web pages read its answers', async () => {
    expect((await fetch(`${bench.issuer()}/token?code=${code}`)).status).toBe(405);
    const preflight = await fetch(`${bench.issuer()}/token`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
  });
});
