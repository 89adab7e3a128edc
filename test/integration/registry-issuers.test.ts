// Trusted issuers through the API: presets written out, discovery as the default, claims by path, and what is refused.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';

let registry: TestRegistry;
let count = 0;
let tenant = '';

beforeAll(async () => {
  registry = await startTestRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  count += 1;
  tenant = `tenant-${count}`;
  const body = { displayName: 'Acme', accessContact: 'access@example.com', fourEyes: false };
  expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
});

const DIRECTORY = '11111111-1111-4111-8111-111111111111';

const put = (body: object, more: { query?: string; etag?: string } = {}): Promise<Answer> =>
  registry.call('PUT', `/v1/tenants/${tenant}/issuers/home${more.query ?? ''}`, {
    body,
    headers: more.etag === undefined ? {} : { 'if-match': more.etag },
  });

const faultsOf = ({ status, body }: Answer): [number, string[]] => [
  status,
  body.errors.map(({ pointer }) => pointer),
];

describe('a preset', () => {
  it.each([
    [
      'entra',
      { directoryTenants: [DIRECTORY] },
      {},
      {
        kind: 'entra',
        issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
        discoveryUri: 'https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration',
        tokenEndpoint: 'https://login.microsoftonline.com/{tenantid}/oauth2/v2.0/token',
        claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
      },
    ],
    [
      'okta',
      {},
      { domain: 'acme.okta.com' },
      {
        issuer: 'https://acme.okta.com/oauth2/default',
        discoveryUri: 'https://acme.okta.com/oauth2/default/.well-known/openid-configuration',
        tokenEndpoint: 'https://acme.okta.com/oauth2/default/v1/token',
        tokenRequests: { nameResourceBy: ['audience'], assertionAudience: 'token-endpoint' },
        claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
      },
    ],
    [
      'auth0',
      {},
      { domain: 'acme.eu.auth0.com', namespace: 'https://acme.example' },
      {
        issuer: 'https://acme.eu.auth0.com/',
        discoveryUri: 'https://acme.eu.auth0.com/.well-known/openid-configuration',
        tokenEndpoint: 'https://acme.eu.auth0.com/oauth/token',
        tokenRequests: { nameResourceBy: ['audience'], assertionAudience: 'issuer' },
        claims: {
          groups: 'https://acme.example/groups',
          roles: 'https://acme.example/roles',
          scopes: 'scope',
          name: 'https://acme.example/name',
        },
      },
    ],
    [
      'keycloak',
      {},
      { baseUrl: 'https://sso.acme.example', realm: 'staff' },
      {
        issuer: 'https://sso.acme.example/realms/staff',
        discoveryUri: 'https://sso.acme.example/realms/staff/.well-known/openid-configuration',
        tokenEndpoint: 'https://sso.acme.example/realms/staff/protocol/openid-connect/token',
        tokenRequests: {
          nameResourceBy: ['audience'],
          requestedTokenType: 'access_token',
          assertionAudience: 'issuer',
        },
        claims: { groups: 'groups', roles: '/realm_access/roles', scopes: 'scope', name: 'name' },
      },
    ],
    [
      'oidc',
      {},
      { issuer: 'https://idp.acme.example' },
      {
        issuer: 'https://idp.acme.example',
        tokenType: 'at+jwt',
        algorithms: ['RS256', 'PS256', 'ES256'],
        claims: { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' },
      },
    ],
  ])('for %s is stored and shown written out', async (preset, more, parameters, expected) => {
    const written = await put({ preset, parameters, relation: 'home', ...more });
    expect(written.status, JSON.stringify(written.body)).toBe(201);
    expect(written.body).toMatchObject(expected);
    expect(written.body).not.toHaveProperty('preset');
    expect(written.body).not.toHaveProperty('parameters');
    // What is shown can be sent: the long form means the same, and changes nothing.
    const again = await put(written.body, { etag: written.etag });
    expect([again.status, again.etag]).toEqual([200, written.etag]);
  });

  it('gives way to what the request says itself, claim by claim', async () => {
    const written = await put({
      preset: 'keycloak',
      parameters: { baseUrl: 'https://sso.acme.example', realm: 'staff' },
      relation: 'partner',
      jwksUri: 'https://keys.acme.example/set',
      algorithms: ['ES256'],
      claims: { groups: '/resource_access/gateway/roles' },
    });
    expect(written.body).toMatchObject({
      relation: 'partner',
      jwksUri: 'https://keys.acme.example/set',
      algorithms: ['ES256'],
      claims: { groups: '/resource_access/gateway/roles', roles: '/realm_access/roles' },
    });
    expect(written.body).not.toHaveProperty('discoveryUri');
  });

  it('is shown by a dry run, and not stored', async () => {
    const body = { preset: 'okta', parameters: { domain: 'acme.okta.com' }, relation: 'home' };
    const dry = await put(body, { query: '?dryRun=true' });
    expect(dry.status).toBe(200);
    expect(JSON.stringify(dry.body)).toContain('https://acme.okta.com/oauth2/default');
    expect((await registry.call('GET', `/v1/tenants/${tenant}/issuers/home`)).status).toBe(404);
  });

  it.each([
    ['without its parameter', { preset: 'okta' }, ['/parameters/domain']],
    [
      'with a parameter it does not have',
      { preset: 'okta', parameters: { domain: 'acme.okta.com', constructor: 'x' } },
      ['/parameters/constructor'],
    ],
    [
      'whose host is a whole address',
      { preset: 'okta', parameters: { domain: 'acme.okta.com/evil?' } },
      ['/parameters/domain'],
    ],
    [
      'whose parameter holds another',
      { preset: 'keycloak', parameters: { baseUrl: 'https://a.example/<realm>', realm: 'x' } },
      ['/parameters/baseUrl'],
    ],
    ['that is not named', { parameters: { domain: 'acme.okta.com' } }, ['/parameters']],
    ['for entra without directories', { preset: 'entra' }, ['/directoryTenants']],
  ])('%s is refused, naming the field', async (_title, body, pointers) => {
    expect(faultsOf(await put({ ...body, relation: 'home' }))).toEqual([422, pointers]);
  });

  it.each(['ping', 'constructor'])('%s is not known', async (preset) => {
    expect(faultsOf(await put({ preset, relation: 'home' }))).toEqual([400, ['/preset']]);
  });

  it('is nothing a patch can use', async () => {
    const { etag } = await put({ preset: 'okta', parameters: { domain: 'acme.okta.com' }, relation: 'home' });
    const patched = await registry.call('PATCH', `/v1/tenants/${tenant}/issuers/home`, {
      body: { preset: 'auth0' },
      headers: { 'if-match': etag },
    });
    expect(faultsOf(patched)).toEqual([422, ['/preset']]);
  });
});

describe('an issuer', () => {
  const plain = { kind: 'oidc', issuer: 'https://idp.acme.example', relation: 'home' };

  it('that says nothing of its keys has them by discovery', async () => {
    const written = await put(plain);
    expect(written.body).toMatchObject({
      discoveryUri: 'https://idp.acme.example/.well-known/openid-configuration',
    });
  });

  it.each([
    [
      'two places for its keys',
      { jwksUri: 'https://idp.acme.example/keys', discoveryUri: 'https://idp.acme.example/d' },
      '/discoveryUri',
    ],
    [
      'a discovery document at a metadata address',
      { discoveryUri: 'https://169.254.169.254/d' },
      '/discoveryUri',
    ],
    ['an issuer at a metadata address, by discovery', { issuer: 'https://169.254.169.254' }, '/discoveryUri'],
    [
      'a claim by a pointer with a bad escape',
      { claims: { groups: '/a~b', roles: 'roles', scopes: 'scp', name: 'name' } },
      '/claims/groups',
    ],
    [
      'a claim nine members deep',
      { claims: { groups: 'groups', roles: '/a/b/c/d/e/f/g/h/i', scopes: 'scp', name: 'name' } },
      '/claims/roles',
    ],
  ])('with %s is refused', async (_title, changes, pointer) => {
    const [status, pointers] = faultsOf(await put({ ...plain, ...changes }));
    expect([status, pointers]).toEqual([422, [pointer]]);
  });

  it('still needs its kind and name where no preset says them', async () => {
    const [status, pointers] = faultsOf(await put({ relation: 'home' }));
    expect(status).toBe(422);
    expect(pointers.toSorted()).toEqual(['/issuer', '/kind']);
  });
});

describe('an issuer that is asked about opaque tokens', () => {
  const introspection = {
    endpoint: 'https://idp.example.com/introspect',
    clientId: 'gateway',
    secretName: 'idp',
  };
  const asked = (changes: object = {}) => ({
    kind: 'oidc',
    issuer: 'https://idp.example.com',
    relation: 'home',
    introspection: { ...introspection, ...changes },
  });

  it('is believed for half a minute unless it says otherwise', async () => {
    const answer = await put(asked());
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ introspection: { ...introspection, maxAgeSeconds: 30 } });
  });

  it.each<[string, object, number, string]>([
    ['in a private network', { endpoint: 'https://10.0.0.1/introspect' }, 422, 'endpoint'],
    ['at a metadata address', { endpoint: 'http://169.254.169.254/' }, 422, 'endpoint'],
    ['with a secret outside its directory', { secretName: '../other/idp' }, 400, 'secretName'],
    ['with the secret itself', { clientSecret: 'x' }, 400, 'clientSecret'],
    ['and believed for hours', { maxAgeSeconds: 3_600 }, 400, 'maxAgeSeconds'],
  ])('is refused %s', async (_title, changes, status, member) => {
    expect(faultsOf(await put(asked(changes)))).toEqual([status, [`/introspection/${member}`]]);
  });

  it('is not one of Entra', async () => {
    const entra = { ...asked(), kind: 'entra', directoryTenants: [DIRECTORY] };
    expect(faultsOf(await put(entra))).toEqual([422, ['/introspection']]);
  });

  it('is the only one of a server: no issuer is shown the tokens of another', async () => {
    const api = (path: string, body: object) =>
      registry.call('PUT', `/v1/tenants/${tenant}${path}`, { body, headers: {} });
    expect((await put(asked())).status).toBe(201);
    const other = { ...asked(), issuer: 'https://other.example.com', introspection: undefined };
    expect((await api('/issuers/other', other)).status).toBe(201);
    const server = {
      displayName: 'Tracker',
      allowedHosts: ['tracker.example.com'],
      upstreamAuth: { mode: 'none' },
      bindings: ['home', 'other'].map((issuerId) => ({ issuerId, audiences: ['api://tracker'] })),
    };
    expect((await api('/servers/tracker', server)).status).toBe(201);
    const second = await registry.call('PUT', `/v1/tenants/${tenant}/issuers/other`, {
      body: { ...other, introspection },
      headers: { 'if-match': '*' },
    });
    expect(second.status).toBe(409);
    expect(JSON.stringify(second.body)).toContain('servers/tracker/bindings');
  });
});

describe('an issuer with a sign-in façade', () => {
  const facade = {
    clientId: 'gateway-facade',
    authorizationEndpoint: 'https://login.example.com/{tenantid}/authorize',
    tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  };
  const fronted = (changes: object = {}) => ({
    kind: 'entra',
    issuer: 'https://login.example.com/{tenantid}/v2.0',
    relation: 'home',
    directoryTenants: [DIRECTORY],
    facade: { ...facade, ...changes },
  });

  it('takes clients by their documents and nobody by registration, unless it says otherwise', async () => {
    const answer = await put(fronted());
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      facade: {
        ...facade,
        scopes: ['openid', 'offline_access'],
        sendsResource: false,
        clientDocuments: true,
        registration: false,
      },
    });
  });

  it.each<[string, object, number, string]>([
    [
      'whose secrets would go to a private network',
      { tokenEndpoint: 'https://10.0.0.1/' },
      422,
      '/tokenEndpoint',
    ],
    ['that is a script', { authorizationEndpoint: 'javascript:alert(1)' }, 422, '/authorizationEndpoint'],
    ['with a secret outside its directory', { secretName: '../other/idp' }, 400, '/secretName'],
    ['with the secret itself', { clientSecret: 'x' }, 400, '/clientSecret'],
    ['for all names of the world', { clientHosts: ['*'] }, 400, '/clientHosts/0'],
    ['by which nobody could be known', { clientDocuments: false }, 422, ''],
  ])('is refused with one %s', async (_title, changes, status, member) => {
    expect(faultsOf(await put(fronted(changes)))).toEqual([status, [`/facade${member}`]]);
  });

  it('has directories in its addresses only where the provider has them', async () => {
    const plain = { ...fronted(), kind: 'oidc', issuer: 'https://login.example.com', directoryTenants: [] };
    expect(faultsOf(await put(plain))).toEqual([
      422,
      ['/facade/authorizationEndpoint', '/facade/tokenEndpoint'],
    ]);
  });
});

describe('an issuer whose revocations come by signals', () => {
  const sharedSignals = {
    transmitter: 'https://ssf.example.com',
    jwksUri: 'https://ssf.example.com/jwks.json',
  };
  const graph = { clientId: 'watcher', secretName: 'graph-watcher' };
  const oidc = (signals: object) => ({
    kind: 'oidc',
    issuer: 'https://login.example.com',
    relation: 'home',
    signals,
  });
  const entra = (changes: object = {}) => ({
    kind: 'entra',
    issuer: 'https://login.example.com/{tenantid}/v2.0',
    tokenEndpoint: 'https://login.example.com/{tenantid}/token',
    relation: 'home',
    directoryTenants: [DIRECTORY],
    signals: { graph: { ...graph, ...changes } },
  });

  it('shows what is meant where nothing is said', async () => {
    expect((await put(oidc({ sharedSignals }))).body).toMatchObject({
      signals: { sharedSignals: { ...sharedSignals, algorithms: ['RS256'] } },
    });
  });

  it('is watched through Graph without notifications, unless it asks for them', async () => {
    expect((await put(entra())).body).toMatchObject({
      signals: { graph: { ...graph, pollSeconds: 60, notifications: false } },
    });
  });

  it.each<[string, object, number, string]>([
    ['neither channel', {}, 400, ''],
    ['keys in a private network', { jwksUri: 'https://10.0.0.1/keys' }, 422, '/sharedSignals/jwksUri'],
    ['keys by directory', { jwksUri: 'https://a.example/{tenantid}' }, 422, '/sharedSignals/jwksUri'],
    ['no signature', { algorithms: ['none'] }, 400, '/sharedSignals/algorithms/0'],
    ['a shared secret', { algorithms: ['HS256'] }, 400, '/sharedSignals/algorithms/0'],
    ['no audience', { audiences: [] }, 400, '/sharedSignals/audiences'],
    [
      'a token outside its directory',
      { authorizationSecretName: '../x' },
      400,
      '/sharedSignals/authorizationSecretName',
    ],
  ])('is refused with %s', async (_title, changes, status, member) => {
    const signals =
      Object.keys(changes).length === 0 ? {} : { sharedSignals: { ...sharedSignals, ...changes } };
    expect(faultsOf(await put(oidc(signals)))).toEqual([status, [`/signals${member}`]]);
  });

  it.each<[string, object, string]>([
    [
      'another kind',
      {
        ...entra(),
        kind: 'oidc',
        issuer: 'https://login.example.com',
        tokenEndpoint: 'https://login.example.com/token',
        directoryTenants: [],
      },
      '',
    ],
    ['no token endpoint', { ...entra(), tokenEndpoint: undefined }, ''],
    ['a path of Graph', entra({ graphUrl: 'https://graph.example.com/v1.0' }), '/graphUrl'],
    ['a Graph in a private network', entra({ graphUrl: 'https://10.0.0.1' }), '/graphUrl'],
    ['a bound that one late answer breaks', entra({ maxStaleSeconds: 100 }), '/maxStaleSeconds'],
  ])('is not watched through Graph with %s', async (_title, issuer, member) => {
    expect(faultsOf(await put(issuer))).toEqual([422, [`/signals/graph${member}`]]);
  });
});

describe('an issuer that vouches for certificates of machines', () => {
  const authority = createTestAuthority('acme');
  const vouching = (changes: object = {}) => ({
    kind: 'oidc',
    issuer: 'https://spire.acme.example',
    relation: 'home',
    machineCertificates: {
      authorities: authority.certificate,
      names: ['spiffe://acme.example/robots/*'],
      ...changes,
    },
  });

  it('is taken with its authorities and the names they may give', async () => {
    const answer = await put(vouching());
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ machineCertificates: vouching().machineCertificates });
  });

  it.each<[string, object, string]>([
    ['no certificate', { authorities: 'authority' }, 'authorities'],
    [
      'a certificate that is none',
      { authorities: authority.certificate.replace(/MII/, 'AAA') },
      'authorities',
    ],
    [
      'a machine in the place of an authority',
      { authorities: authority.issue(['a.example']).certificate },
      'authorities',
    ],
    [
      'a private key',
      { authorities: `${authority.certificate}${authority.issue(['a.example']).key}` },
      'authorities',
    ],
    ['any name there is', { names: ['*'] }, 'names/0'],
    ['a whole trust domain', { names: ['spiffe://*'] }, 'names/0'],
    ['a star in between', { names: ['spiffe://acme.example/*/robot'] }, 'names/0'],
    ['an address', { names: ['10.0.0.7'] }, 'names/0'],
  ])('is refused with %s', async (_title, changes, member) => {
    expect(faultsOf(await put(vouching(changes)))).toEqual([422, [`/machineCertificates/${member}`]]);
  });

  it('is not one of Entra', async () => {
    const entra = { ...vouching(), kind: 'entra', directoryTenants: [DIRECTORY] };
    expect(faultsOf(await put(entra))).toEqual([422, ['/machineCertificates']]);
  });
});
