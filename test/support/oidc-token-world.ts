// Token exchanges at a provider of another author: oidc-provider with the gateway's applications in every way they can
// authenticate, a tenant that trusts it, and callers with real tokens of it.

import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import type { ClientApplication } from '#core/client-credential.ts';
import { type Identity, principalKey } from '#core/identity.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { Secret } from '#core/secret.ts';
import type { McpServer, UpstreamAuth } from '#core/server.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import {
  type BrokerOptions,
  type Caller,
  startTestBroker,
  type TestBroker,
} from '#test/support/test-broker.ts';
import { TOKEN_EXCHANGE } from '#test/support/token-exchange-grant.ts';
import { oidcIssuer, testServer, testTenant } from '#test/support/token-issuer.ts';

/** What callers' tokens are for, and what lies behind servers. */
export const GATEWAY = 'https://gateway.example/mcp/tracker';
export const TRACKER = 'https://tracker.example/api';
export const REPORTS = 'https://reports.example/api';
const REDIRECT = 'http://127.0.0.1/callback';

const authority = createTestAuthority();
const KEYS = { rsa: authority.issue([], { key: 'rsa' }), ec: authority.issue([]) };

const publicKey = (pem: string, alg: string, kid: string) => ({
  ...createPublicKey(pem).export({ format: 'jwk' }),
  alg,
  kid,
  use: 'sig',
});

/** The gateway's applications by how they authenticate, with the credential each has. */
export const APPLICATIONS = {
  basic: { clientId: 'gateway-basic', secretName: 'gateway' },
  post: {
    clientId: 'gateway-post',
    credential: { kind: 'secret', name: 'gateway', sentBy: 'post' },
  },
  rsa: {
    clientId: 'gateway-rsa',
    credential: { kind: 'certificate', name: 'rsa', keyId: 'rsa-key' },
  },
  ec: { clientId: 'gateway-ec', credential: { kind: 'certificate', name: 'ec', keyId: 'ec-key' } },
} as const satisfies Record<string, ClientApplication>;

/** Holds characters that a form and a header write differently. */
const SECRET = 'p~ss:w%rd+&=/!';

const GRANTS = { grant_types: ['client_credentials', TOKEN_EXCHANGE], redirect_uris: [], response_types: [] };

const clients = [
  { ...GRANTS, client_id: 'gateway-basic', client_secret: SECRET },
  {
    ...GRANTS,
    client_id: 'gateway-post',
    client_secret: SECRET,
    token_endpoint_auth_method: 'client_secret_post',
  },
  {
    ...GRANTS,
    client_id: 'gateway-rsa',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [publicKey(KEYS.rsa.key, 'PS256', 'rsa-key')] },
  },
  {
    ...GRANTS,
    client_id: 'gateway-ec',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [publicKey(KEYS.ec.key, 'ES256', 'ec-key')] },
  },
  { client_id: 'nightly', client_secret: 'nightly-secret' },
  {
    client_id: 'desktop',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code'],
  },
] as const;

const rights = Object.fromEntries(
  Object.values(APPLICATIONS).map(({ clientId }) => [clientId, { accepts: GATEWAY, targets: [TRACKER] }]),
);

export type OidcTokenWorld = {
  readonly provider: OidcProvider;
  readonly secretsDirectory: string;
  user(name: string): Promise<Caller>;
  application(): Promise<Caller>;
  /** A broker that remembers nothing, at this provider unless `issuer` says otherwise. */
  startBroker(options?: BrokerOptions & { readonly issuer?: Partial<TrustedIssuer> }): TestBroker;
  stop(): Promise<void>;
};

/** A server with the resource behind it, whose bindings name one of the applications. */
export const exchangingServer = (
  auth: Partial<UpstreamAuth> = {},
  application: ClientApplication = APPLICATIONS.basic,
): McpServer => ({
  ...testServer([]),
  upstreamAuth: {
    mode: 'token-exchange',
    scopes: ['issues.read'],
    appOnly: 'client-credentials',
    resource: TRACKER,
    ...auth,
  },
  bindings: [{ issuerId: 'oidc', audiences: [GATEWAY], requiredScopes: [], oboApplication: application }],
});

const identityFrom = (text: string, kind: Identity['kind']): Identity => {
  const { iss = '', sub = '', aud, iat = 0, exp = 0 } = decodeJwt(text);
  return {
    principal: principalKey({ issuer: iss, subject: sub }),
    kind,
    issuerId: 'oidc',
    issuer: iss,
    audience: String(aud),
    relation: 'home',
    subject: sub,
    groups: [],
    roles: [],
    scopes: [],
    guest: false,
    assurance: [],
    claimsChallenges: false,
    issuedAt: iat,
    expiresAt: exp,
  };
};

const callerFrom = (text: string, kind: Identity['kind']): Caller => ({
  identity: identityFrom(text, kind),
  assertion: new Secret(text),
});

const writeSecrets = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  const files = {
    gateway: SECRET,
    'rsa.key': KEYS.rsa.key,
    'rsa.crt': KEYS.rsa.certificate,
    'ec.key': KEYS.ec.key,
    'ec.crt': KEYS.ec.certificate,
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(directory, name), text, { mode: 0o600 });
  return directory;
};

/** Starts the provider on a free port and writes the credentials where a secret store finds them. */
export const startOidcTokenWorld = async (): Promise<OidcTokenWorld> => {
  const provider = await startOidcProvider({
    resources: {
      [GATEWAY]: { scope: 'tools.use' },
      [TRACKER]: { scope: 'issues.read issues.write' },
      [REPORTS]: { scope: 'reports.read' },
    },
    clients: clients.map((client) => ({ ...client })) as never,
    accounts: { alice: {}, bob: {} },
    tokenExchange: rights,
  });
  const secretsDirectory = await writeSecrets();
  return {
    provider,
    secretsDirectory,
    user: async (account) => {
      const asked = { clientId: 'desktop', redirectUri: REDIRECT, resource: GATEWAY, scope: 'tools.use' };
      return callerFrom(await provider.userToken({ ...asked, account }), 'user');
    },
    application: async () => {
      const client = { clientId: 'nightly', clientSecret: 'nightly-secret' };
      return callerFrom(await provider.clientToken({ ...client, resource: GATEWAY }), 'app');
    },
    startBroker: ({ issuer, ...options } = {}) => {
      const { issuer: iss, tokenEndpoint } = provider;
      const trusted = oidcIssuer(provider.jwksUri, { id: 'oidc', issuer: iss, tokenEndpoint, ...issuer });
      return startTestBroker(testTenant([trusted]), secretsDirectory, {
        server: exchangingServer(),
        ...options,
      });
    },
    stop: async () => {
      await provider.stop();
      await rm(secretsDirectory, { recursive: true });
    },
  };
};
