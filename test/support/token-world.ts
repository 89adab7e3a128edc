// The token broker over the real MSAL, the real egress guard and a running mini-entra, with identities read from real
// tokens. For the integration tests of ext-authz/token.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, type JWTPayload } from 'jose';
import type { ClientApplication } from '#core/client-credential.ts';
import { type Identity, principalKey } from '#core/identity.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { Secret } from '#core/secret.ts';
import type { McpServer, UpstreamAuth } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { APPLICATION_IDS, APPLICATIONS, CONTOSO_TID, DIRECTORIES, FABRIKAM_TID } from '#demo/directory.ts';
import { createMiniEntra, LIFETIME_HEADER, type MiniEntra } from '#demo/mini-entra/mini-entra.ts';
import {
  type BrokerOptions,
  type Caller,
  startTestBroker,
  type TestBroker,
} from '#test/support/test-broker.ts';

/** Where mini-entra is, and where tokens are asked of it if that is another address. */
export type ProviderPlace = Pick<MiniEntra, 'origin' | 'jwksUri'> & { readonly tokenOrigin?: string };

const issuerOf = (provider: ProviderPlace, id: string, tid: string): TrustedIssuer => ({
  id,
  kind: 'entra',
  issuer: `${provider.origin}/{tenantid}/v2.0`,
  jwksUri: provider.jwksUri,
  tokenEndpoint: `${provider.tokenOrigin ?? provider.origin}/{tenantid}/oauth2/v2.0/token`,
  algorithms: ['RS256'],
  relation: tid === CONTOSO_TID ? 'home' : 'partner',
  directoryTenants: [tid],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 0,
  enabled: true,
});

/** The `tracker` server of the demo. */
export const trackerServer = (
  upstreamAuth: Partial<UpstreamAuth> = {},
  application: ClientApplication = {
    clientId: APPLICATION_IDS.gatewayTracker,
    secretName: 'gateway-tracker',
  },
): McpServer => ({
  id: 'tracker',
  displayName: 'Tracker',
  enabled: true,
  allowedHosts: [],
  upstreamAuth: {
    mode: 'obo',
    scopes: ['api://tracker/.default'],
    appOnly: 'client-credentials',
    ...upstreamAuth,
  },
  bindings: ['contoso', 'fabrikam'].map((issuerId) => ({
    issuerId,
    audiences: [APPLICATION_IDS.gatewayTracker],
    requiredScopes: ['tools.use'],
    oboApplication: application,
  })),
  constraints: [],
  refusalStatus: 200,
  maxBodyBytes: 1_000,
  activeVersion: '1.0.0',
  versions: [],
});

/** The demo's directories as issuers of a tenant without servers. */
export const tenantOf = (provider: ProviderPlace): Tenant => ({
  id: 'default',
  displayName: 'Default',
  accessContact: 'ada@contoso.example',
  allowedOrigins: [],
  fourEyes: false,
  revision: 1,
  issuers: [issuerOf(provider, 'contoso', CONTOSO_TID), issuerOf(provider, 'fabrikam', FABRIKAM_TID)],
  servers: [],
  grants: [],
  publishers: [],
  killSwitches: [],
});

const identityFrom = (claims: JWTPayload): Identity => {
  const { iss = '', sub = '', tid, oid } = claims as JWTPayload & { tid: string; oid: string };
  return {
    principal: principalKey({ issuer: iss, subject: sub, tid, oid }),
    kind: claims['idtyp'] === 'app' ? 'app' : 'user',
    issuerId: tid === CONTOSO_TID ? 'contoso' : 'fabrikam',
    issuer: iss,
    audience: String(claims.aud),
    relation: tid === CONTOSO_TID ? 'home' : 'partner',
    subject: sub,
    tid,
    oid,
    groups: [],
    roles: [],
    scopes: [],
    guest: tid !== CONTOSO_TID,
    assurance: [],
    claimsChallenges: claims['xms_cc'] !== undefined,
    issuedAt: claims.iat ?? 0,
    expiresAt: claims.exp ?? 0,
  };
};

/** Asks mini-entra for a token. The answer's JSON is returned whatever the status. */
export const requestToken = async (
  provider: MiniEntra,
  tid: string,
  { form, lifetimeSeconds }: { form: Readonly<Record<string, string>>; lifetimeSeconds?: number },
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(provider.tokenEndpoint(tid), {
    method: 'POST',
    headers: lifetimeSeconds === undefined ? {} : { [LIFETIME_HEADER]: String(lifetimeSeconds) },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

export const passwordForm = (user: string, more: Readonly<Record<string, string>> = {}) => ({
  grant_type: 'password',
  client_id: APPLICATION_IDS.demoCli,
  username: user,
  password: `${user}-demo-password`,
  scope: 'api://gateway-tracker/tools.use',
  ...more,
});

const callerFrom = (text: unknown): Caller => {
  if (typeof text !== 'string') throw new Error('mini-entra issued no token');
  return { identity: identityFrom(decodeJwt(text)), assertion: new Secret(text) };
};

export type TokenWorld = {
  readonly provider: MiniEntra;
  readonly tenant: Tenant;
  readonly secretsDirectory: string;
  user(name: string, options?: { claims?: string; lifetimeSeconds?: number }): Promise<Caller>;
  application(): Promise<Caller>;
  /** A fresh broker that remembers nothing. */
  startBroker(options?: BrokerOptions): TestBroker;
  stop(): Promise<void>;
};

/** Starts mini-entra on a free port and writes the demo's secrets where a secret store finds them. */
export const startTokenWorld = async (applications = APPLICATIONS): Promise<TokenWorld> => {
  const provider = await createMiniEntra({ directories: DIRECTORIES, applications, port: 0 });
  const secretsDirectory = await mkdtemp(join(tmpdir(), 'secrets-'));
  for (const { name, secret } of APPLICATIONS) {
    if (secret === undefined) continue;
    await writeFile(join(secretsDirectory, name), secret);
    await chmod(join(secretsDirectory, name), 0o600);
  }
  return {
    provider,
    tenant: tenantOf(provider),
    secretsDirectory,
    user: async (name, { claims, lifetimeSeconds } = {}) => {
      const tid = name === 'paula' ? FABRIKAM_TID : CONTOSO_TID;
      const form = passwordForm(name, claims === undefined ? {} : { claims });
      const { body } = await requestToken(provider, tid, {
        form,
        ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
      });
      return callerFrom(body['access_token']);
    },
    application: async () => {
      const form = {
        grant_type: 'client_credentials',
        client_id: APPLICATION_IDS.nightlyReport,
        client_secret: 'nightly-report-demo-secret',
        scope: 'api://gateway-tracker/.default',
      };
      return callerFrom((await requestToken(provider, CONTOSO_TID, { form })).body['access_token']);
    },
    startBroker: (options) =>
      startTestBroker(tenantOf(provider), secretsDirectory, { server: trackerServer(), ...options }),
    stop: async () => {
      await provider.close();
      await rm(secretsDirectory, { recursive: true });
    },
  };
};
