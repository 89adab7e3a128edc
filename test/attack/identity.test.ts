// Hostile credentials against the identity part of ext-authz as it runs, one table: each must be refused, and for the
// reason we name. Numbers in brackets are those of our catalogue of attacks.
import { createHmac, createPrivateKey } from 'node:crypto';
import { type CompactJWSHeaderParameters, CompactSign } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reason } from '#core/reason.ts';
import type { Tenant } from '#core/tenant.ts';
import { type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import {
  createTestKey,
  entraClaims,
  entraIssuer,
  HOME_TID,
  NOW,
  OID,
  OTHER_TID,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  startKeyServer,
  testTenant,
} from '#test/support/token-issuer.ts';

const key = createTestKey('good');
/** Published for another directory only, as Microsoft's consumer keys are. */
const foreignKey = createTestKey('foreign');
/** Published by nobody. */
const ownKey = createTestKey('own');

const issuerOf = (tid: string): string => `https://login.example/${tid}/v2.0`;

let bench: IdentityBench;
let tenant: Tenant;

beforeAll(async () => {
  bench = await startIdentityBench([
    publishKey(key),
    publishKey(foreignKey, { issuer: issuerOf(OTHER_TID) }),
  ]);
  const { url } = bench.keyServer;
  tenant = testTenant([
    entraIssuer(url),
    oidcIssuer(url),
    oidcIssuer(url, { id: 'unbound', issuer: 'https://unbound.example' }),
  ]);
  const [server] = tenant.servers;
  if (server === undefined) throw new Error('the test tenant has no server');
  const bindings = server.bindings.filter(({ issuerId }) => issuerId !== 'unbound');
  tenant = { ...tenant, servers: [{ ...server, bindings }] };
});

afterAll(() => bench.stop());

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with any header and a signature of the caller's making. */
const forge = (header: object, claims: object, sign: (input: string) => string = () => ''): string => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(input)}`;
};

const hmac =
  (secret: string | Buffer) =>
  (input: string): string =>
    createHmac('sha256', secret).update(input).digest('base64url');

const publicPem = key.publicKey.export({ type: 'spki', format: 'pem' });
const publicDer = key.publicKey.export({ type: 'spki', format: 'der' });
const publicJwk = JSON.stringify(publishKey(key));

const changed = (changes: object): Promise<string> =>
  signWith(
    key,
    Object.fromEntries(Object.entries(entraClaims(changes)).filter(([, value]) => value !== undefined)),
  );

const tamper = async (edit: (parts: [string, string, string]) => string[]): Promise<string> => {
  const [header = '', payload = '', signature = ''] = (await signWith(key, entraClaims())).split('.');
  return edit([header, payload, signature]).join('.');
};

/** Signed well, with header members SignJWT would not let through. */
const signRaw = (header: object, payload: string): Promise<string> =>
  new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'RS256', kid: 'good', ...header } as CompactJWSHeaderParameters)
    .sign(key.privateKey);

const HOSTILE: readonly [string, () => Promise<string> | string, Reason][] = [
  // A flood of groups: what fits into a header is refused for their number, what does not for its length, unparsed.
  [
    'two thousand and one groups of one letter',
    () => changed({ groups: Array(2_001).fill('g') }),
    'claims_invalid',
  ],
  ['five thousand groups', () => changed({ groups: Array(5_000).fill('g') }), 'token_malformed'],
  // Algorithm confusion [13]
  ['alg none', () => forge({ alg: 'none' }, entraClaims()), 'token_algorithm_refused'],
  ['alg None', () => forge({ alg: 'None', kid: 'good' }, entraClaims()), 'token_algorithm_refused'],
  [
    'alg NONE with a signature',
    () => forge({ alg: 'NONE' }, entraClaims(), () => 'AAAA'),
    'token_algorithm_refused',
  ],
  ['alg missing', () => forge({ kid: 'good' }, entraClaims()), 'token_algorithm_refused'],
  ['alg null', () => forge({ alg: null }, entraClaims()), 'token_algorithm_refused'],
  ['alg as a list', () => forge({ alg: ['RS256'] }, entraClaims()), 'token_algorithm_refused'],
  ['alg with a blank', () => forge({ alg: 'RS256 ' }, entraClaims()), 'token_algorithm_refused'],
  [
    'HS256 under the public key as PEM',
    () => forge({ alg: 'HS256', kid: 'good' }, entraClaims(), hmac(publicPem)),
    'token_algorithm_refused',
  ],
  [
    'HS256 under the public key as DER',
    () => forge({ alg: 'HS256', kid: 'good' }, entraClaims(), hmac(publicDer)),
    'token_algorithm_refused',
  ],
  [
    'HS256 under the public key as JWK',
    () => forge({ alg: 'HS256', kid: 'good' }, entraClaims(), hmac(publicJwk)),
    'token_algorithm_refused',
  ],
  [
    'HS256 under an empty key',
    () => forge({ alg: 'HS256' }, entraClaims(), hmac('')),
    'token_algorithm_refused',
  ],
  [
    'HS512 by name, HMAC by deed',
    () => forge({ alg: 'HS512', kid: 'good' }, entraClaims(), hmac(publicPem)),
    'token_algorithm_refused',
  ],
  [
    'RS256 by name, HMAC by deed',
    () => forge({ alg: 'RS256', kid: 'good' }, entraClaims(), hmac(publicPem)),
    'signature_invalid',
  ],
  [
    'an algorithm the issuer does not use',
    () => forge({ alg: 'ES256', kid: 'good' }, entraClaims()),
    'token_algorithm_refused',
  ],
  [
    'an algorithm nobody knows',
    () => forge({ alg: 'XX256', kid: 'good' }, entraClaims()),
    'token_algorithm_refused',
  ],
  ['RS1', () => forge({ alg: 'RS1', kid: 'good' }, entraClaims()), 'token_algorithm_refused'],

  // Keys [13, 14]
  ['a key of its own', () => signWith(ownKey, entraClaims()), 'key_unknown'],
  [
    'a key of its own under a known kid',
    () => signWith(ownKey, entraClaims(), { kid: 'good' }),
    'signature_invalid',
  ],
  [
    'a key of its own brought along',
    () => signWith(ownKey, entraClaims(), { jwk: publishKey(ownKey) }),
    'key_unknown',
  ],
  [
    'a key of its own brought along under a known kid',
    () => signWith(ownKey, entraClaims(), { kid: 'good', jwk: publishKey(ownKey) }),
    'signature_invalid',
  ],
  [
    'an address of keys',
    () => signWith(ownKey, entraClaims(), { jku: 'https://evil.example/keys' }),
    'key_unknown',
  ],
  [
    'an address of certificates',
    () => signWith(ownKey, entraClaims(), { x5u: 'https://evil.example/cert' }),
    'key_unknown',
  ],
  ['a certificate brought along', () => signWith(ownKey, entraClaims(), { x5c: ['AAAA'] }), 'key_unknown'],
  [
    'a kid that climbs directories',
    () => signWith(ownKey, entraClaims(), { kid: '../../../../dev/null' }),
    'key_unknown',
  ],
  ['a kid that injects', () => signWith(ownKey, entraClaims(), { kid: "' OR 1=1 --" }), 'key_unknown'],
  ['a kid of the prototype', () => signWith(ownKey, entraClaims(), { kid: '__proto__' }), 'key_unknown'],
  ['a kid with NUL', () => signWith(ownKey, entraClaims(), { kid: 'good\u0000' }), 'key_unknown'],
  ['a kid in other letters', () => signWith(key, entraClaims(), { kid: 'GOOD' }), 'key_unknown'],
  ['no kid in a token of Entra', () => signWith(key, entraClaims(), { kid: undefined }), 'key_unknown'],
  ['a kid that is a number', () => forge({ alg: 'RS256', kid: 7 }, entraClaims()), 'token_malformed'],
  ['an endless kid', () => forge({ alg: 'RS256', kid: 'k'.repeat(300) }, entraClaims()), 'token_malformed'],
  ['a key that belongs to another directory', () => signWith(foreignKey, entraClaims()), 'key_unknown'],
  ['that key under the name of an OpenID issuer', () => signWith(foreignKey, oidcClaims()), 'key_unknown'],

  // Shape
  ['nothing like a token', () => 'abc', 'token_malformed'],
  ['two parts', () => 'a.b', 'token_malformed'],
  ['five parts, an encrypted token', () => 'a.b.c.d.e', 'token_malformed'],
  ['a header that is no JSON', () => `${Buffer.from('{').toString('base64url')}.e30.AA`, 'token_malformed'],
  ['a header that is a list', () => `${encode([])}.e30.AA`, 'token_malformed'],
  ['a payload that is no object', () => signRaw({}, '[]'), 'token_malformed'],
  ['a payload that is text', () => signRaw({}, 'hello'), 'token_malformed'],
  [
    'a critical extension',
    () => signRaw({ crit: ['b64'], b64: true }, JSON.stringify(entraClaims())),
    'token_malformed',
  ],
  [
    'an unknown critical extension',
    () => forge({ alg: 'RS256', kid: 'good', crit: ['x'], x: 1 }, entraClaims()),
    'token_malformed',
  ],
  [
    'an empty list of critical extensions',
    () => forge({ alg: 'RS256', kid: 'good', crit: [] }, entraClaims()),
    'token_malformed',
  ],
  [
    'a changed payload',
    () => tamper(([h, , s]) => [h, encode(entraClaims({ oid: OTHER_TID })), s]),
    'signature_invalid',
  ],
  [
    'a changed header',
    () => tamper(([, p, s]) => [encode({ alg: 'RS256', kid: 'good', typ: 'X' }), p, s]),
    'signature_invalid',
  ],
  ['no signature', () => tamper(([h, p]) => [h, p, '']), 'signature_invalid'],
  ['half a signature', () => tamper(([h, p, s]) => [h, p, s.slice(0, 100)]), 'signature_invalid'],
  [
    'a signature of zeros',
    () => tamper(([h, p]) => [h, p, Buffer.alloc(256).toString('base64url')]),
    'signature_invalid',
  ],
  [
    'the signature of another token',
    async () => {
      const other = (await changed({ uti: 'other' })).split('.')[2] ?? '';
      return tamper(([h, p]) => [h, p, other]);
    },
    'signature_invalid',
  ],

  // Issuer, audience, directory [12, 15]
  ['no issuer', () => changed({ iss: undefined }), 'issuer_unknown'],
  ['an issuer that is a list', () => changed({ iss: [issuerOf(HOME_TID)] }), 'issuer_unknown'],
  ['an issuer of its own', () => changed({ iss: 'https://evil.example' }), 'issuer_unknown'],
  ['an issuer with a slash too many', () => changed({ iss: `${issuerOf(HOME_TID)}/` }), 'issuer_unknown'],
  [
    'the issuer of version 1',
    () => changed({ iss: `https://sts.windows.net/${HOME_TID}/` }),
    'issuer_unknown',
  ],
  [
    'the template itself',
    () => changed({ iss: issuerOf('{tenantid}'), tid: '{tenantid}' }),
    'issuer_unknown',
  ],
  [
    'an issuer the server is not bound to',
    () => signWith(key, oidcClaims({ iss: 'https://unbound.example' })),
    'issuer_unknown',
  ],
  [
    'another directory',
    () => changed({ iss: issuerOf(OTHER_TID), tid: OTHER_TID }),
    'directory_tenant_refused',
  ],
  [
    'another directory with its own key',
    () => signWith(foreignKey, entraClaims({ iss: issuerOf(OTHER_TID), tid: OTHER_TID })),
    'directory_tenant_refused',
  ],
  ['a listed issuer and a foreign directory', () => changed({ tid: OTHER_TID }), 'directory_tenant_refused'],
  ['no directory', () => changed({ tid: undefined }), 'claims_invalid'],
  ['another audience', () => changed({ aud: 'api://other' }), 'audience_mismatch'],
  ['no audience', () => changed({ aud: undefined }), 'audience_mismatch'],
  ['an audience that contains ours', () => changed({ aud: 'api://tracker.evil' }), 'audience_mismatch'],
  [
    'the upstream as audience: a token that was passed through [11]',
    () => changed({ aud: 'https://graph.example' }),
    'audience_mismatch',
  ],
  ['an empty list of audiences', () => changed({ aud: [] }), 'audience_mismatch'],
  ['an audience that is an object', () => changed({ aud: { 'api://tracker': true } }), 'audience_mismatch'],

  // Time
  ['an expired token', () => changed({ exp: NOW - 30, iat: NOW - 3600, nbf: NOW - 3600 }), 'token_expired'],
  ['a token of tomorrow', () => changed({ nbf: NOW + 31 }), 'token_not_yet_valid'],
  ['a token issued tomorrow', () => changed({ nbf: undefined, iat: NOW + 31 }), 'token_not_yet_valid'],
  ['no expiry', () => changed({ exp: undefined }), 'claims_invalid'],
  ['no time of issue', () => changed({ iat: undefined }), 'claims_invalid'],
  ['an expiry that is text', () => changed({ exp: String(NOW + 60) }), 'claims_invalid'],
  [
    'an expiry without end',
    () => signRaw({}, JSON.stringify(entraClaims()).replace(/"exp":\d+/, '"exp":1e999')),
    'claims_invalid',
  ],
  ['a lifetime of years', () => changed({ exp: NOW + 86_400 * 365 }), 'claims_invalid'],
  [
    'an expiry before its issue',
    () => changed({ iat: NOW + 20, nbf: undefined, exp: NOW + 10 }),
    'claims_invalid',
  ],

  // Who is behind it [12, 18, 19]
  [
    'groups left out because they are many',
    () => changed({ groups: undefined, _claim_names: { groups: 'src1' } }),
    'groups_overage',
  ],
  ['hasgroups', () => changed({ groups: undefined, hasgroups: true }), 'groups_overage'],
  ['a version 1 token', () => changed({ ver: '1.0' }), 'claims_invalid'],
  ['a user without object id', () => changed({ oid: undefined }), 'claims_invalid'],
  [
    'a mail address in place of the object id',
    () => changed({ oid: 'admin@contoso.example' }),
    'claims_invalid',
  ],
  ['neither scopes nor roles', () => changed({ idtyp: undefined, scp: undefined }), 'claims_invalid'],
  ['an ID token', () => signWith(key, oidcClaims({ at_hash: 'x', nonce: 'y' })), 'claims_invalid'],
  [
    'a token bound to a key, where no proofs are taken',
    () => signWith(key, oidcClaims({ cnf: { jkt: 'x'.repeat(43) } })),
    'token_binding_refused',
  ],
  ['the scope of another server', () => changed({ scp: 'reports.use' }), 'scope_insufficient'],
  ['no scope', () => changed({ scp: '' }), 'scope_insufficient'],
  ['a scope hidden in another', () => changed({ scp: 'tools.use.read xtools.use' }), 'scope_insufficient'],
  ['a scope in other letters', () => changed({ scp: 'Tools.Use' }), 'scope_insufficient'],
];

describe('a hostile token', () => {
  it('stands beside an honest one that is accepted', async () => {
    expect(await bench.outcomeOf(await signWith(key, entraClaims()), tenant)).toBe('user');
    expect(await bench.outcomeOf(await signWith(key, oidcClaims()), tenant)).toBe('user');
    const application = await changed({ idtyp: 'app', scp: undefined, sub: OID, roles: ['r'] });
    expect(await bench.outcomeOf(application, tenant)).toBe('app');
  });

  it.each(HOSTILE)('is refused: %s', async (_title, make, reason) => {
    const token = await make();
    expect(await bench.outcomeOf(token, tenant)).toBe(reason);
    expect(await bench.outcomeOf(token, tenant)).toBe(reason);
  });

  it('is never repeated in the facts of its refusal', async () => {
    for (const [, make] of HOSTILE) {
      const token = await make();
      const result = await bench.authenticate([`Bearer ${token}`], tenant);
      const signature = token.split('.')[2] ?? '';
      if (signature.length > 20) expect(JSON.stringify(result)).not.toContain(signature);
    }
  });
});

describe('a hostile set of headers', () => {
  it.each<[string, (token: string) => string[], Reason]>([
    ['two tokens', (token) => [`Bearer ${token}`, 'Bearer x.y.z'], 'credential_misplaced'],
    ['the same token twice', (token) => [`Bearer ${token}`, `Bearer ${token}`], 'credential_misplaced'],
    ['two tokens in one line', (token) => [`Bearer ${token}, Bearer x.y.z`], 'credential_misplaced'],
    ['a password before the token', (token) => ['Basic eDp5', `Bearer ${token}`], 'credential_misplaced'],
    ['another scheme', (token) => [`Token ${token}`], 'token_missing'],
    ['no scheme', (token) => [token], 'token_missing'],
    ['a smuggled line', (token) => [`Bearer ${token}\r\nx-mcpgw-version: 1`], 'token_malformed'],
  ])('is refused: %s', async (_title, authorization, reason) => {
    const token = await signWith(key, entraClaims());
    const result = await bench.authenticate(authorization(token), tenant);
    expect(result.ok ? 'accepted' : result.error.reason).toBe(reason);
  });
});

describe('keys', () => {
  it('are never fetched from an address a token names', async () => {
    const evil = await startKeyServer([publishKey(ownKey)]);
    try {
      for (const header of [{ jku: evil.url }, { x5u: evil.url }, { jku: evil.url, kid: 'good' }])
        expect(await bench.outcomeOf(await signWith(ownKey, entraClaims(), header), tenant)).not.toBe('user');
      const claims = entraClaims({ iss: new URL(evil.url).origin });
      expect(await bench.outcomeOf(await signWith(ownKey, claims), tenant)).toBe('issuer_unknown');
      expect(evil.hits).toBe(0);
    } finally {
      await evil.stop();
    }
  });

  it('that are shared secrets or private keys verify nothing, even when the provider publishes them', async () => {
    const leaky = await startIdentityBench([
      { kty: 'oct', kid: 'secret', k: Buffer.from('secret').toString('base64url') },
      {
        ...createPrivateKey(ownKey.privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
          format: 'jwk',
        }),
        kid: 'own',
      },
      publishKey(key),
    ]);
    try {
      const place = testTenant([entraIssuer(leaky.keyServer.url)]);
      expect(await leaky.outcomeOf(await signWith(key, entraClaims()), place)).toBe('user');
      expect(await leaky.outcomeOf(await signWith(ownKey, entraClaims()), place)).toBe('key_unknown');
      const forged = forge({ alg: 'HS256', kid: 'secret' }, entraClaims(), hmac('secret'));
      expect(await leaky.outcomeOf(forged, place)).toBe('token_algorithm_refused');
    } finally {
      await leaky.stop();
    }
  });

  it('of a partner make guests, never members', async () => {
    const partner = testTenant([entraIssuer(bench.keyServer.url, { id: 'partner', relation: 'partner' })]);
    const result = await bench.authenticate([`Bearer ${await changed({ acct: 0 })}`], partner);
    expect(result).toMatchObject({ ok: true, value: { identity: { relation: 'partner', guest: true } } });
  });
});
