// `/{tid}/oauth2/v2.0/token`: directory → form → client → fault on order → scopes → grant → signed token.
// Counts what was asked and what was issued, so that a test can prove how many exchanges there were.

import { decodeJwt, type JWTPayload } from 'jose';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type DemoApplication, type DemoDirectory, GRAPH_RESOURCE_ID } from '#demo/directory.ts';
import { signAccessToken } from '#demo/mini-entra/access-token.ts';
import { authenticateClient } from '#demo/mini-entra/client-authentication.ts';
import type { Codes } from '#demo/mini-entra/codes.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import type { Fault, FaultBook } from '#demo/mini-entra/faults.ts';
import { type Form, parseForm } from '#demo/mini-entra/form.ts';
import { authorizationCode } from '#demo/mini-entra/grants/authorization-code.ts';
import { clientCredentials } from '#demo/mini-entra/grants/client-credentials.ts';
import type { Grant, Granted, GrantName } from '#demo/mini-entra/grants/grant.ts';
import { onBehalfOf } from '#demo/mini-entra/grants/on-behalf-of.ts';
import { password } from '#demo/mini-entra/grants/password.ts';
import { refreshToken } from '#demo/mini-entra/grants/refresh-token.ts';
import { signIdToken } from '#demo/mini-entra/id-token.ts';
import type { RefreshTokens, SignedIn } from '#demo/mini-entra/refresh-tokens.ts';
import { parseScopes, type RequestedScopes } from '#demo/mini-entra/scopes.ts';
import type { SigningKeys } from '#demo/mini-entra/signing-keys.ts';
import type { World } from '#demo/mini-entra/world.ts';

const GRANTS: ReadonlyMap<string, { readonly name: GrantName; readonly grant: Grant }> = new Map([
  ['password', { name: 'password', grant: password }],
  ['authorization_code', { name: 'authorization_code', grant: authorizationCode }],
  ['refresh_token', { name: 'refresh_token', grant: refreshToken }],
  ['client_credentials', { name: 'client_credentials', grant: clientCredentials }],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', { name: 'on_behalf_of', grant: onBehalfOf }],
]);

export type Counters = Record<GrantName, { requests: number; issued: number }>;

export const emptyCounters = (): Counters => ({
  password: { requests: 0, issued: 0 },
  authorization_code: { requests: 0, issued: 0 },
  refresh_token: { requests: 0, issued: 0 },
  client_credentials: { requests: 0, issued: 0 },
  on_behalf_of: { requests: 0, issued: 0 },
});

export type TokenEndpointParts = {
  readonly world: World;
  readonly keys: SigningKeys;
  readonly faults: FaultBook;
  readonly codes: Codes;
  readonly refreshTokens: RefreshTokens;
  readonly counters: () => Counters;
  readonly issuer: (tid: string) => string;
  /** Where tokens are asked for: what assertions of applications are addressed to. */
  readonly tokenEndpoint: (tid: string) => string;
  /** Where Graph is: the resource that tokens for it are asked by. */
  readonly graphUrl: () => string;
};

export type TokenRequest = {
  readonly tid: string;
  readonly body: string;
  readonly nowSeconds: number;
  readonly lifetimeSeconds: number;
};

export type TokenReply = {
  readonly answer: Result<object, EntraRefusal>;
  /** A fault of the wire, which the server acts out around the answer. */
  readonly fault?: Fault;
};

type Asked = {
  readonly directory: DemoDirectory;
  readonly form: Form;
  readonly client: DemoApplication;
  readonly name: GrantName;
  readonly grant: Grant;
};

const readRequest = async (
  parts: TokenEndpointParts,
  request: TokenRequest,
): Promise<Result<Asked, EntraRefusal>> => {
  const directory = parts.world.findDirectory(request.tid);
  if (directory === undefined) return err({ code: 90002 });
  const form = parseForm(request.body);
  if (!form.ok) return form;
  const grantType = form.value.get('grant_type');
  if (grantType === undefined) return err({ code: 900144 });
  const known = GRANTS.get(grantType);
  if (known === undefined) return err({ code: 70003 });
  parts.counters()[known.name].requests += 1;
  const { nowSeconds } = request;
  const tokenEndpoint = parts.tokenEndpoint(directory.tid);
  const place = { world: parts.world, directory };
  const client = await authenticateClient(place, form.value, { tokenEndpoint, nowSeconds });
  return client.ok ? ok({ directory, form: form.value, client: client.value, ...known }) : client;
};

/** Who a fault would hit: the user named, or the one in the assertion, not verified yet. */
const findUserName = (world: World, { directory, form }: Asked): string | undefined => {
  const userName = form.get('username');
  if (userName !== undefined) return world.findUser(directory, userName)?.name;
  try {
    return world.findUserByOid(directory, String(decodeJwt(form.get('assertion') ?? '')['oid']))?.name;
  } catch {
    return undefined;
  }
};

/** `xms_cc` and `acrs` of the `claims` parameter (OpenID Connect §5.5): capabilities, and a step-up that was passed. */
const readRequestedClaims = (text: string | undefined): JWTPayload => {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    const asked = isJsonObject(parsed) ? parsed['access_token'] : undefined;
    if (!isJsonObject(asked)) return {};
    const { xms_cc: capabilities, acrs } = asked;
    return {
      ...(isJsonObject(capabilities) ? { xms_cc: capabilities['values'] } : {}),
      ...(isJsonObject(acrs) ? { acrs: acrs['values'] ?? [acrs['value']] } : {}),
    };
  } catch {
    return {};
  }
};

/** What a sign-in gives beside the access token, where its scopes asked for it. */
const signInTokens = async (
  parts: TokenEndpointParts,
  signedIn: SignedIn,
  nowSeconds: number,
): Promise<{ id_token?: string; refresh_token?: string }> => {
  const { facts } = signedIn;
  const asked = facts.scope.split(' ');
  const signer = { issuer: parts.issuer(facts.tid), key: parts.keys.current(facts.tid), nowSeconds };
  return {
    ...(asked.includes('openid') ? { id_token: await signIdToken(facts, signer) } : {}),
    ...(asked.includes('offline_access') ? { refresh_token: parts.refreshTokens.issue(signedIn) } : {}),
  };
};

const issue = async (
  parts: TokenEndpointParts,
  { asked, granted, requested }: { asked: Asked; granted: Granted; requested: RequestedScopes },
  { nowSeconds, lifetimeSeconds }: TokenRequest,
): Promise<object> => {
  const { tid } = asked.directory;
  const { resource, scopes } = requested;
  const { signedIn, claims, ...who } = granted;
  const facts = { directory: asked.directory, resource, client: asked.client, scopes, ...who };
  const requestedClaims = readRequestedClaims(asked.form.get('claims') ?? claims);
  const accessToken = await signAccessToken(
    { ...facts, requestedClaims },
    { issuer: parts.issuer(tid), key: parts.keys.current(tid), time: { nowSeconds, lifetimeSeconds } },
  );
  parts.counters()[asked.name].issued += 1;
  return {
    token_type: 'Bearer',
    scope: scopes.map((scope) => `${requested.named}/${scope}`).join(' '),
    expires_in: lifetimeSeconds,
    ext_expires_in: lifetimeSeconds,
    access_token: accessToken,
    ...(signedIn === undefined ? {} : await signInTokens(parts, signedIn, nowSeconds)),
  };
};

const runGrant = async (
  parts: TokenEndpointParts,
  asked: Asked,
  request: TokenRequest,
): Promise<Result<object, EntraRefusal>> => {
  const { directory, form, client } = asked;
  // Clients need not repeat at the token endpoint what they asked for at the sign-in (RFC 6749 §4.1.3).
  const code = form.get('code');
  const signedIn = parts.codes.peek(code);
  if (code !== undefined && signedIn === undefined) return err({ code: 70008 });
  const refreshed = parts.refreshTokens.find(form.get('refresh_token'));
  const scope = form.get('scope') ?? signedIn?.scope ?? refreshed?.facts.scope;
  const requested = parseScopes(scope, (name) =>
    parts.world.findResource(directory, name === parts.graphUrl() ? GRAPH_RESOURCE_ID : name),
  );
  if (!requested.ok) return requested;
  const granted = await asked.grant({
    world: parts.world,
    codes: parts.codes,
    refreshTokens: parts.refreshTokens,
    directory,
    client,
    form,
    requested: requested.value,
    issuer: parts.issuer(directory.tid),
    keys: parts.keys.published(directory.tid),
    nowSeconds: request.nowSeconds,
  });
  if (!granted.ok) return granted;
  return ok(await issue(parts, { asked, granted: granted.value, requested: requested.value }, request));
};

/** Answers one token request; the server only has to write it out. */
export const answerTokenRequest = async (
  parts: TokenEndpointParts,
  request: TokenRequest,
): Promise<TokenReply> => {
  const asked = await readRequest(parts, request);
  if (!asked.ok) return { answer: asked };
  const user = findUserName(parts.world, asked.value);
  const client = asked.value.client.clientId;
  const fault = parts.faults.take({
    grant: asked.value.name,
    client,
    ...(user === undefined ? {} : { user }),
  });
  if (fault?.kind === 'refusal') return { answer: err(fault) };
  const answer = await runGrant(parts, asked.value, request);
  return { answer, ...(fault === undefined ? {} : { fault }) };
};
