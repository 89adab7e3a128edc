// Tokens of an identity provider as a client gets them: client credentials (RFC 6749 §4.4) and the code flow with PKCE
// (RFC 7636), followed through its redirects with a browser's cookies. Knows endpoints from discovery alone.

import { createHash, randomBytes } from 'node:crypto';

type Endpoints = { readonly authorization_endpoint: string; readonly token_endpoint: string };

const discover = async (issuer: string): Promise<Endpoints> => {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  return (await answer.json()) as Endpoints;
};

type ClientCredential = { readonly clientId: string; readonly clientSecret?: string };

const basic = ({ clientId, clientSecret }: ClientCredential): Record<string, string> =>
  clientSecret === undefined
    ? {}
    : {
        authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
      };

const askForToken = async (
  endpoints: Endpoints,
  client: ClientCredential,
  form: Readonly<Record<string, string>>,
): Promise<string> => {
  const answer = await fetch(endpoints.token_endpoint, {
    method: 'POST',
    headers: basic(client),
    body: new URLSearchParams({
      ...form,
      ...(client.clientSecret === undefined ? { client_id: client.clientId } : {}),
    }),
  });
  const body = (await answer.json()) as { access_token?: string };
  if (body.access_token === undefined)
    throw new Error(`no token: ${answer.status} ${JSON.stringify({ ...body })}`);
  return body.access_token;
};

/** An application's own access token. */
export const clientCredentialsToken = async (
  issuer: string,
  request: ClientCredential & { readonly resource: string; readonly scope?: string },
): Promise<string> =>
  askForToken(await discover(issuer), request, {
    grant_type: 'client_credentials',
    resource: request.resource,
    ...(request.scope === undefined ? {} : { scope: request.scope }),
  });

/** Follows redirects, keeping cookies, until one leads to `redirectUri`. */
export const walkTo = async (start: string, redirectUri: string): Promise<URL> => {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let hop = 0; hop < 10; hop += 1) {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = answer.headers.get('location');
    if (location === null)
      throw new Error(`the sign-in stops at ${url.pathname}: ${answer.status} ${await answer.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(redirectUri)) return url;
  }
  throw new Error('the sign-in goes in circles');
};

/** A person's access token, by the code flow with PKCE. */
export const codeFlowToken = async (
  issuer: string,
  request: ClientCredential & {
    readonly redirectUri: string;
    readonly resource: string;
    readonly scope: string;
    readonly account: string;
  },
): Promise<string> => {
  const endpoints = await discover(issuer);
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    resource: request.resource,
    scope: request.scope,
    login_hint: request.account,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const back = await walkTo(`${endpoints.authorization_endpoint}?${query}`, request.redirectUri);
  const refused = back.searchParams.get('error');
  if (refused !== null)
    throw new Error(`no code: ${refused} (${back.searchParams.get('error_description')})`);
  return askForToken(endpoints, request, {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code') ?? '',
    redirect_uri: request.redirectUri,
    code_verifier: verifier,
    resource: request.resource,
  });
};
