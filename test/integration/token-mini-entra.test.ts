// mini-entra itself: what it issues, what it refuses and in which words, its key sets and its control room. The
// gateway's tests stand on it, so it must be as strict as the thing it stands in for.

import { mkdtemp, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, APPLICATIONS, CONTOSO_TID, DIRECTORIES, FABRIKAM_TID } from '#demo/directory.ts';
import { createMiniEntra, type MiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { passwordForm, requestToken } from '#test/support/token-world.ts';

let provider: MiniEntra;
const start = (stateDirectory?: string): Promise<MiniEntra> =>
  createMiniEntra({
    directories: DIRECTORIES,
    applications: APPLICATIONS,
    port: 0,
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });

beforeAll(async () => {
  provider = await start();
});
afterAll(() => provider.close());
beforeEach(() => provider.control.faults.clear());

const OBO = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const ask = (form: Readonly<Record<string, string>>, tid: string = CONTOSO_TID) =>
  requestToken(provider, tid, { form });

const askCode = async (form: Readonly<Record<string, string>>, tid?: string): Promise<unknown> =>
  ((await ask(form, tid)).body['error_codes'] as number[] | undefined)?.[0] ?? 'issued';

const tokenOf = async (form: Readonly<Record<string, string>>, tid?: string): Promise<string> =>
  String((await ask(form, tid)).body['access_token']);

const oboForm = (assertion: string, more: Readonly<Record<string, string>> = {}) => ({
  grant_type: OBO,
  requested_token_use: 'on_behalf_of',
  client_id: APPLICATION_IDS.gatewayTracker,
  client_secret: 'gateway-tracker-demo-secret',
  scope: 'api://tracker/.default openid profile offline_access',
  assertion,
  ...more,
});

const appForm = (more: Readonly<Record<string, string>> = {}) => ({
  grant_type: 'client_credentials',
  client_id: APPLICATION_IDS.nightlyReport,
  client_secret: 'nightly-report-demo-secret',
  scope: 'api://gateway-tracker/.default',
  ...more,
});

const control = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  fetch(`${provider.origin}/control/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe('tokens', () => {
  it('verify against the common key set, under the key’s own issuer', async () => {
    const token = await tokenOf(passwordForm('alice'));
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(provider.jwksUri)), {
      algorithms: ['RS256'],
      issuer: provider.issuer(CONTOSO_TID),
      audience: APPLICATION_IDS.gatewayTracker,
    });
    expect(payload).toMatchObject({
      ver: '2.0',
      idtyp: 'user',
      scp: 'tools.use',
      azp: APPLICATION_IDS.demoCli,
      preferred_username: 'alice@contoso.example',
    });
    expect(payload['groups']).toHaveLength(2);
    const { keys } = (await (await fetch(provider.jwksUri)).json()) as { keys: Record<string, string>[] };
    const key = keys.find(({ kid }) => kid === decodeProtectedHeader(token).kid);
    expect(key?.['issuer']).toBe(provider.issuer(CONTOSO_TID));
    expect(new Set(keys.map(({ issuer }) => issuer)).size).toBe(2);
    expect(keys.flatMap((entry) => Object.keys(entry))).not.toContain('d');
  });

  it('live 60 to 90 minutes', async () => {
    const { iat = 0, exp = 0 } = decodeJwt(await tokenOf(passwordForm('bob')));
    expect(exp - iat).toBeGreaterThanOrEqual(3_600);
    expect(exp - iat).toBeLessThanOrEqual(5_400);
  });

  it('name one person differently at every application', async () => {
    const tracker = decodeJwt(await tokenOf(passwordForm('alice')));
    const reports = decodeJwt(
      await tokenOf(passwordForm('alice', { scope: 'api://gateway-reports/tools.use' })),
    );
    expect(tracker['oid']).toBe(reports['oid']);
    expect(tracker.sub).not.toBe(reports.sub);
  });

  it('of applications carry roles and no scopes', async () => {
    const claims = decodeJwt(await tokenOf(appForm()));
    expect(claims).toMatchObject({ idtyp: 'app', roles: ['tools.use.all'], azpacr: '1' });
    expect(claims['scp']).toBeUndefined();
    expect(claims.sub).toBe(claims['oid']);
  });

  it('carry what the claims parameter asked for', async () => {
    const claims = '{"access_token":{"xms_cc":{"values":["cp1"]},"acrs":{"essential":true,"value":"c1"}}}';
    expect(decodeJwt(await tokenOf(passwordForm('alice', { claims })))).toMatchObject({
      xms_cc: ['cp1'],
      acrs: ['c1'],
    });
  });
});

describe('refusals', () => {
  it.each([
    ['a grant type that is missing', { client_id: 'x' }, 900144],
    ['a grant type nobody knows', { grant_type: 'device_code' }, 70003],
    ['a client nobody knows', passwordForm('alice', { client_id: 'nobody' }), 700016],
    ['a wrong secret', appForm({ client_secret: 'wrong' }), 7000215],
    ['no secret', appForm({ client_secret: '' }), 7000218],
    ['a secret of a public client', passwordForm('alice', { client_secret: 'x' }), 7000215],
    ['a user nobody knows', passwordForm('zoe'), 50034],
    ['a wrong password', passwordForm('alice', { password: 'x' }), 50126],
    ['a user of another directory', passwordForm('paula'), 50034],
    ['no scope', passwordForm('alice', { scope: 'openid' }), 900144],
    ['a resource nobody knows', passwordForm('alice', { scope: 'api://nothing/.default' }), 500011],
    ['a scope the resource lacks', passwordForm('alice', { scope: 'api://gateway-tracker/all' }), 650053],
    [
      'scopes of two resources',
      passwordForm('alice', { scope: 'api://gateway-tracker/tools.use api://gateway-reports/tools.use' }),
      28000,
    ],
    ['a resource without consent', passwordForm('alice', { scope: 'api://tracker/.default' }), 65001],
    [
      'an application asking for a delegated scope',
      appForm({ scope: 'api://gateway-tracker/tools.use' }),
      1002012,
    ],
    ['an application without a role', appForm({ scope: 'api://tracker/.default' }), 501051],
  ])('of %s', async (_what, form, code) => {
    expect(await askCode(form as Record<string, string>)).toBe(code);
  });

  it('of an unknown directory, and of an application that is not in this one', async () => {
    expect(await askCode(passwordForm('alice'), '11111111-1111-4111-8111-111111111111')).toBe(90002);
    expect(await askCode(appForm(), FABRIKAM_TID)).toBe(700016);
  });

  it('of a repeated parameter', async () => {
    const response = await fetch(provider.tokenEndpoint(CONTOSO_TID), {
      method: 'POST',
      body: `${new URLSearchParams(passwordForm('alice'))}&username=bob`,
    });
    expect(await response.json()).toMatchObject({ error_codes: [90014] });
  });

  it('come in Entra’s body', async () => {
    const { status, body } = await ask(appForm({ client_secret: 'wrong' }));
    expect(status).toBe(401);
    expect(body).toMatchObject({
      error: 'invalid_client',
      error_description: expect.stringMatching(/^AADSTS7000215: /),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
      trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });
});

describe('On-Behalf-Of', () => {
  it('keeps the user and changes audience and actor', async () => {
    const token = await tokenOf(passwordForm('alice'));
    expect(decodeJwt(await tokenOf(oboForm(token)))).toMatchObject({
      aud: APPLICATION_IDS.trackerApi,
      azp: APPLICATION_IDS.gatewayTracker,
      oid: decodeJwt(token)['oid'],
      scp: 'tracker.access',
    });
  });

  it('refuses an assertion that was changed, forged, expired, or meant for others', async () => {
    const token = await tokenOf(passwordForm('alice'));
    const [header, , signature] = token.split('.');
    const changed = Buffer.from(JSON.stringify({ ...decodeJwt(token), oid: 'other' })).toString('base64url');
    const forged = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: 'HS256', kid: decodeProtectedHeader(token).kid ?? '' })
      .sign(new TextEncoder().encode('x'.repeat(32)));
    const past = { form: passwordForm('alice'), lifetimeSeconds: 1 };
    const { body } = await requestToken(provider, CONTOSO_TID, past);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const codes = {
      changed: await askCode(oboForm(`${header}.${changed}.${signature}`)),
      forged: await askCode(oboForm(forged)),
      garbage: await askCode(oboForm('x.y.z')),
      expired: await askCode(oboForm(String(body['access_token']))),
      meantForOthers: await askCode(oboForm(await tokenOf(oboForm(token)))),
      otherDirectory: await askCode(oboForm(await tokenOf(passwordForm('paula'), FABRIKAM_TID))),
      appOnly: await askCode(oboForm(await tokenOf(appForm()))),
      noUse: await askCode(oboForm(token, { requested_token_use: '' })),
      noConsent: await askCode(oboForm(token, { scope: 'api://reports/.default' })),
    };
    expect(codes).toEqual({
      changed: 50013,
      forged: 50013,
      garbage: 50013,
      expired: 500133,
      meantForOthers: 500131,
      otherDirectory: 50013,
      appOnly: 7000114,
      noUse: 900144,
      noConsent: 65001,
    });
  });
});

describe('the control room', () => {
  it('orders faults, counts requests, disables users, ends sessions, sets lifetimes, rotates keys', async () => {
    await control('DELETE', 'counters');
    await control('POST', 'faults', { kind: 'blocked', user: 'alice', grant: 'password', times: 1 });
    expect(await askCode(passwordForm('bob'))).toBe('issued');
    expect(await askCode(passwordForm('alice'))).toBe(53003);
    expect(await askCode(passwordForm('alice'))).toBe('issued');
    expect(await (await control('GET', 'state')).json()).toMatchObject({
      counters: { password: { requests: 3, issued: 2 } },
      faults: [],
    });

    await control('POST', 'users', { user: 'bob', enabled: false });
    expect(await askCode(passwordForm('bob'))).toBe(50057);
    await control('POST', 'users', { user: 'bob', enabled: true });

    const token = await tokenOf(passwordForm('bob'));
    await control('POST', 'sessions/revoke', { user: 'bob' });
    expect(await askCode(oboForm(token))).toBe(50173);

    await control('POST', 'lifetime', { seconds: 77 });
    const { iat = 0, exp = 0 } = decodeJwt(await tokenOf(passwordForm('alice')));
    expect(exp - iat).toBe(77);
    await control('POST', 'lifetime', { seconds: null });

    const before = decodeProtectedHeader(await tokenOf(passwordForm('alice'))).kid;
    await control('POST', 'keys/rotate', { retireOld: true });
    expect(decodeProtectedHeader(await tokenOf(passwordForm('alice'))).kid).not.toBe(before);
    expect(JSON.stringify(await (await fetch(provider.jwksUri)).json())).not.toContain(before);
  });

  it('names the field that is wrong', async () => {
    for (const [body, field] of [
      [{ kind: 'nonsense' }, 'kind'],
      [{ kind: 'refusal', code: 1 }, 'code'],
      [{ kind: 'blocked', times: 'x' }, 'times'],
      [{ kind: 'blocked', grant: 'x' }, 'grant'],
    ] as const) {
      const response = await control('POST', 'faults', body);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
        400,
        `${field} is missing or wrong`,
      ]);
    }
  });

  it('does not open for a web page', async () => {
    expect((await control('DELETE', 'faults', undefined, { origin: 'https://evil.example' })).status).toBe(
      403,
    );
    const status = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: provider.port, path: '/control/state' };
      httpRequest({ ...options, headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('signing keys', () => {
  it('outlive a restart in a file only we can read', async () => {
    const state = await mkdtemp(join(tmpdir(), 'mini-entra-'));
    const first = await start(state);
    const keys = await (await fetch(first.jwksUri)).text();
    await first.close();
    const second = await start(state);
    const kids = (text: string): string[] =>
      [...text.matchAll(/"kid":"([0-9a-f]+)"/g)].map(([, kid]) => kid ?? '');
    expect(kids(await (await fetch(second.jwksUri)).text())).toEqual(kids(keys));
    await second.close();
    expect((await stat(join(state, 'mini-entra', 'keys.json'))).mode & 0o777).toBe(0o600);
  });
});
