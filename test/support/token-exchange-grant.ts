// The grant of RFC 8693 at the provider of oidc-provider.ts, which leaves it to whoever runs it. Client authentication,
// resources, and signatures are the package's; here is who may trade which token for which, and who acts.

import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, type JWK, type JWTPayload, jwtVerify } from 'jose';
import Provider, {
  errors,
  type JWKS,
  type ResourceServer,
  type ResourceServerInstance,
  type TokenEndpointGrantContext,
} from 'oidc-provider';

/** What a client may trade: tokens whose `aud` is `accepts`, for any of `targets`. */
export type ExchangeRights = { readonly accepts: string; readonly targets: readonly string[] };

export type ExchangeGrantOptions = {
  readonly keys: JWKS;
  /** By client id. */
  readonly rights: Readonly<Record<string, ExchangeRights>>;
  readonly resourceServer: (indicator: string) => ResourceServer;
};

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
] as const;

type Context = TokenEndpointGrantContext<Partial<Record<(typeof PARAMETERS)[number], string>>>;

type ActorClaim = { readonly sub: string; readonly act?: unknown };

/** Entity under which `extraTokenClaims` finds who acts. */
const ACTOR = 'ExchangeActor';

/** `act` of a token that is being issued (RFC 8693 §4.1). */
export const actorClaims = (entities: object): { readonly act?: ActorClaim } => {
  const act = (entities as Record<string, ActorClaim | undefined>)[ACTOR];
  return act === undefined ? {} : { act };
};

const publicHalf = (key: JWKS['keys'][number]): JWK => ({
  ...createPublicKey({ key: key as never, format: 'jwk' }).export({ format: 'jwk' }),
  kid: String(key.kid),
});

const verifySubject = async (
  { oidc: { params, provider, client } }: Context,
  { keys, rights }: ExchangeGrantOptions,
): Promise<JWTPayload & { sub: string }> => {
  if (params.subject_token === undefined || params.subject_token_type !== ACCESS_TOKEN)
    throw new errors.InvalidRequest('subject_token and its type are required');
  try {
    const { payload } = await jwtVerify(
      params.subject_token,
      createLocalJWKSet({ keys: keys.keys.map(publicHalf) }),
      {
        algorithms: ['RS256'],
        issuer: provider.issuer,
        audience: rights[client.clientId]?.accepts ?? 'nothing',
        requiredClaims: ['sub', 'exp'],
      },
    );
    return payload as JWTPayload & { sub: string };
  } catch {
    throw new errors.InvalidRequest('the subject token is not valid');
  }
};

/** The acting party is the client itself, by a token it was issued. */
const verifyActor = async ({ oidc: { params, provider, client } }: Context): Promise<string | undefined> => {
  if (params.actor_token === undefined) return undefined;
  const token =
    params.actor_token_type === ACCESS_TOKEN
      ? await provider.ClientCredentials.find(params.actor_token)
      : undefined;
  if (token?.clientId !== client.clientId) throw new errors.InvalidRequest('the actor token is not valid');
  return token.clientId;
};

const findTarget = (
  { oidc: { params, provider, client } }: Context,
  { rights, resourceServer }: ExchangeGrantOptions,
): ResourceServerInstance => {
  const named = params.resource ?? params.audience;
  if (named === undefined || !rights[client.clientId]?.targets.includes(named))
    throw new errors.InvalidTarget('this client gets no token for that');
  return new provider.ResourceServer(named, resourceServer(named));
};

const grantedScope = (asked: string | undefined, { scopes }: ResourceServerInstance): string => {
  const wanted = asked === undefined ? [...scopes] : asked.split(' ');
  if (!wanted.every((scope) => scopes.has(scope)))
    throw new errors.InvalidScope('the resource has no such scope', wanted.join(' '));
  return wanted.join(' ');
};

const exchange = async (context: Context, options: ExchangeGrantOptions): Promise<void> => {
  const { params, provider, client } = context.oidc;
  if ((params.requested_token_type ?? ACCESS_TOKEN) !== ACCESS_TOKEN)
    throw new errors.InvalidRequest('only access tokens are issued');
  const subject = await verifySubject(context, options);
  const actor = await verifyActor(context);
  const resourceServer = findTarget(context, options);
  const scope = grantedScope(params.scope, resourceServer);
  const before = subject['act'] === undefined ? {} : { act: subject['act'] };
  if (actor !== undefined) context.oidc.entity(ACTOR, { sub: actor, ...before });
  const token = new provider.AccessToken({
    client,
    accountId: subject.sub,
    resourceServer,
    scope,
    gty: 'token_exchange',
  } as never);
  context.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope,
  };
};

/** Lets the provider exchange tokens. */
export const registerTokenExchange = (provider: Provider, options: ExchangeGrantOptions): void =>
  provider.registerGrantType(TOKEN_EXCHANGE, (context) => exchange(context as Context, options), PARAMETERS);
