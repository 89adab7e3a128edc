// The npm package `oidc-provider` as a second identity provider, written by nobody of ours: discovery, keys, tokens by
// client credentials and by the code flow, whose sign-in and consent are given at once. Only tests start it.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, {
  type ClientMetadata,
  type Configuration,
  errors,
  type Grant,
  type JWKS,
} from 'oidc-provider';
import { clientCredentialsToken, codeFlowToken } from '#test/support/oidc-tokens.ts';
import {
  actorClaims,
  type ExchangeGrantOptions,
  registerTokenExchange,
} from '#test/support/token-exchange-grant.ts';

/** Claims that go into access tokens as they are, e.g. `{ groups: ['engineers'] }`. */
export type ExtraClaims = Readonly<Record<string, unknown>>;

/** What a token can be for (RFC 8707). Key: the resource indicator, an absolute URI, also the token's `aud`. */
export type ResourceServers = Readonly<
  Record<
    string,
    {
      /** Space-separated; a client gets what it asks for of these. */
      readonly scope: string;
      /** `jwt` (RFC 9068, `typ: at+jwt`) unless given. */
      readonly format?: 'jwt' | 'opaque';
      /** Another `aud` than the indicator. */
      readonly audience?: string;
    }
  >
>;

export type OidcProviderOptions = {
  /** 0 or absent: a free port. */
  readonly port?: number;
  readonly resources: ResourceServers;
  /** Applications; `client_credentials` and `authorization_code` are both allowed unless `grant_types` says otherwise. */
  readonly clients: readonly (ClientMetadata & { readonly tokenClaims?: ExtraClaims })[];
  /** People by id (`sub`); who signs in is the request's `login_hint`, else the first. */
  readonly accounts?: Readonly<Record<string, ExtraClaims>>;
  /** Who may exchange which tokens (RFC 8693), by client id. */
  readonly tokenExchange?: ExchangeGrantOptions['rights'];
  readonly dpop?: boolean;
  readonly introspection?: boolean;
  readonly registration?: boolean;
  readonly clientIdMetadata?: boolean;
  /** Seconds an access token lives, 600 unless given. */
  readonly tokenLifetimeSeconds?: number;
  /** More configuration of the package itself, put over what is made of the rest. */
  readonly overrides?: Configuration;
};

export type OidcProvider = {
  /** Also its `iss`; discovery is at `/.well-known/openid-configuration`. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly tokenEndpoint: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
  /** While set, it answers before the provider does; for redirects, errors and lies. Undefined from it: the provider answers. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => true | undefined) | undefined;
  clientToken(request: {
    clientId: string;
    clientSecret: string;
    resource: string;
    scope?: string;
  }): Promise<string>;
  /** Signs the person in at once and approves whatever the client asks for. */
  userToken(request: {
    clientId: string;
    clientSecret?: string;
    redirectUri: string;
    resource: string;
    scope: string;
    account: string;
  }): Promise<string>;
  stop(): Promise<void>;
};

const newKeys = (): JWKS => {
  const key = (kid: string, alg: string, pair: ReturnType<typeof generateKeyPairSync>) => ({
    ...pair.privateKey.export({ format: 'jwk' }),
    kid,
    alg,
    use: 'sig',
  });
  return {
    keys: [
      key('rsa-1', 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
      key('ec-1', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    ] as JWKS['keys'],
  };
};

const resourceServerOf = ({ resources }: OidcProviderOptions, indicator: string) => {
  const resource = resources[indicator];
  if (resource === undefined) throw new errors.InvalidTarget(`no resource ${indicator}`);
  return {
    scope: resource.scope,
    audience: resource.audience ?? indicator,
    accessTokenFormat: resource.format ?? ('jwt' as const),
    jwt: { sign: { alg: 'RS256' as const } },
  };
};

const resourceFeature = (options: OidcProviderOptions) => ({
  enabled: true,
  useGrantedResource: () => true,
  getResourceServerInfo: (_context: unknown, indicator: string) => resourceServerOf(options, indicator),
});

const clientsOf = (options: OidcProviderOptions): ClientMetadata[] =>
  options.clients.map(({ tokenClaims: _, ...metadata }) => ({
    grant_types: ['client_credentials', 'authorization_code'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
    ...metadata,
  }));

/** How the person signed in, said in access tokens too (RFC 9068 §2.2.1). */
const contextOf = (code: { readonly acr?: string | undefined } | undefined): { acr?: string } =>
  code?.acr === undefined ? {} : { acr: code.acr };

const configurationOf = (options: OidcProviderOptions, jwks: JWKS): Configuration => ({
  jwks,
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clients: clientsOf(options),
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...options.accounts?.[id] }) }),
  extraTokenClaims: (context, token) => ({
    ...contextOf(context.oidc.entities.AuthorizationCode),
    ...actorClaims(context.oidc.entities),
    ...options.clients.find(({ client_id: id }) => id === token.clientId)?.tokenClaims,
    ...('accountId' in token ? options.accounts?.[String(token.accountId)] : {}),
  }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  // Named, though they are close to the defaults, because the package complains about every default it falls back to.
  ttl: {
    AccessToken: options.tokenLifetimeSeconds ?? 600,
    ClientCredentials: options.tokenLifetimeSeconds ?? 600,
    Grant: 3600,
    Interaction: 3600,
    Session: 3600,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: resourceFeature(options),
    dPoP: { enabled: options.dpop ?? false },
    introspection: { enabled: options.introspection ?? false },
    registration: { enabled: options.registration ?? false },
    ...(options.clientIdMetadata === true
      ? { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } }
      : {}),
  },
  ...options.overrides,
});

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

const consentedGrant = async (provider: Provider, { prompt, params, session, grantId }: Interaction) => {
  const known: Grant | undefined = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant =
    known ??
    new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) });
  const { missingOIDCScope, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(indicator, scopes.join(' '));
  return grant.save();
};

/** Whoever is asked for a stronger sign-in gives the first kind that is wanted. */
const chosenContext = (acrValues: unknown): { acr?: string } => {
  const [acr] = typeof acrValues === 'string' ? acrValues.split(' ') : [];
  return acr === undefined ? {} : { acr };
};

/** What a person would do on the pages for sign-in and consent. */
const approve = async (
  provider: Provider,
  options: OidcProviderOptions,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> => {
  const interaction = await provider.interactionDetails(request, response);
  const hint = interaction.params['login_hint'];
  const accountId = typeof hint === 'string' ? hint : (Object.keys(options.accounts ?? {})[0] ?? 'somebody');
  const result =
    interaction.prompt.name === 'login'
      ? { login: { accountId, ...chosenContext(interaction.params['acr_values']) } }
      : { consent: { grantId: await consentedGrant(provider, interaction) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
};

const startedProvider = (issuer: string, options: OidcProviderOptions): Provider => {
  const keys = newKeys();
  const provider = new Provider(issuer, configurationOf(options, keys));
  if (options.tokenExchange !== undefined)
    registerTokenExchange(provider, {
      keys,
      rights: options.tokenExchange,
      resourceServer: (indicator) => resourceServerOf(options, indicator),
    });
  return provider;
};

const closedPort = (): RequestListener => (_request, response) => void response.writeHead(503).end();

/** Starts one on the loopback interface; `stop` closes its connections too. */
export const startOidcProvider = async (options: OidcProviderOptions): Promise<OidcProvider> => {
  let answer = closedPort();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = startedProvider(issuer, options);
  const serve = provider.callback();
  const started: OidcProvider = {
    issuer,
    jwksUri: `${issuer}/jwks`,
    tokenEndpoint: `${issuer}/token`,
    requests: [],
    intercept: undefined,
    clientToken: (request) => clientCredentialsToken(issuer, request),
    userToken: (request) => codeFlowToken(issuer, request),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  answer = (request, response) => {
    started.requests.push(request.url ?? '');
    if (started.intercept?.(request, response) === true) return;
    if (!request.url?.startsWith('/interaction/')) return void serve(request, response);
    approve(provider, options, { request, response }).catch(() => response.writeHead(500).end());
  };
  return started;
};
