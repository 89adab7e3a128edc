// A token issuer for tests: real keys, a real HTTP server for its key set, counters and faults. It signs whatever it
// is asked to, also what no honest issuer would.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWTPayload, SignJWT } from 'jose';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';

export const HOME_TID = '11111111-1111-4111-8111-111111111111';
export const OTHER_TID = '22222222-2222-4222-8222-222222222222';
export const AUDIENCE = '33333333-3333-4333-8333-333333333333';
export const OID = '44444444-4444-4444-8444-444444444444';

/** The moment at which tests take place, seconds since the epoch. */
export const NOW = 1_800_000_000;

export type TestKey = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export const createTestKey = (kid: string): TestKey => ({
  kid,
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
});

/** The public half as a member of a key set. */
export const publishKey = (key: TestKey, members: object = {}): object => ({
  ...key.publicKey.export({ format: 'jwk' }),
  kid: key.kid,
  use: 'sig',
  ...members,
});

/** A token with these claims, RS256 unless the header says otherwise. */
export const signWith = (key: TestKey, claims: object, header: object = {}): Promise<string> =>
  new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header })
    .sign(key.privateKey);

export type KeyServer = {
  readonly url: string;
  /** What the next answers hold. */
  answer: { status: number; body: string };
  hits: number;
  stop(): Promise<void>;
};

/** Serves a key set on a free port of the loopback interface. */
export const startKeyServer = async (keys: readonly object[]): Promise<KeyServer> => {
  const state = { answer: { status: 200, body: JSON.stringify({ keys }) }, hits: 0 };
  const server: Server = createServer((_request, response) => {
    state.hits += 1;
    response.writeHead(state.answer.status, { 'content-type': 'application/json' }).end(state.answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/keys`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
};

export const entraIssuer = (jwksUri: string, changes: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  id: 'entra',
  kind: 'entra',
  issuer: 'https://login.example/{tenantid}/v2.0',
  jwksUri,
  algorithms: ['RS256'],
  relation: 'home',
  directoryTenants: [HOME_TID],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 30,
  enabled: true,
  ...changes,
});

export const oidcIssuer = (jwksUri: string, changes: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  ...entraIssuer(jwksUri),
  id: 'oidc',
  kind: 'oidc',
  issuer: 'https://idp.example',
  directoryTenants: [],
  claims: { groups: 'groups', roles: 'realm_access.roles', scopes: 'scope', name: 'name' },
  ...changes,
});

export const entraClaims = (changes: object = {}): Record<string, unknown> => ({
  ver: '2.0',
  iss: `https://login.example/${HOME_TID}/v2.0`,
  aud: AUDIENCE,
  tid: HOME_TID,
  oid: OID,
  sub: 'pairwise-subject',
  azp: '55555555-5555-4555-8555-555555555555',
  idtyp: 'user',
  scp: 'tools.use',
  groups: ['group-1'],
  name: 'Test Person',
  iat: NOW - 60,
  nbf: NOW - 60,
  exp: NOW + 3600,
  ...changes,
});

export const oidcClaims = (changes: object = {}): Record<string, unknown> => ({
  iss: 'https://idp.example',
  aud: AUDIENCE,
  sub: 'user-1',
  azp: 'client-1',
  scope: 'openid tools.use',
  iat: NOW - 60,
  exp: NOW + 3600,
  ...changes,
});

export const testServer = (issuers: readonly TrustedIssuer[]): McpServer => ({
  id: 'tracker',
  displayName: 'Tracker',
  enabled: true,
  allowedHosts: [],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: issuers.map(({ id }) => ({
    issuerId: id,
    audiences: ['api://tracker', AUDIENCE],
    requiredScopes: ['tools.use'],
  })),
  constraints: [],
  refusalStatus: 200,
  maxBodyBytes: 1_000,
  activeVersion: '1',
  versions: [],
});

export const testTenant = (issuers: readonly TrustedIssuer[]): Tenant => ({
  id: 'default',
  displayName: 'Default',
  accessContact: '',
  allowedOrigins: [],
  fourEyes: false,
  revision: 1,
  issuers,
  servers: [testServer(issuers)],
  grants: [],
  publishers: [],
  killSwitches: [],
});
