// The way to the provider: the façade signs people in as the one client it is there, with a PKCE, a state and a nonce of its
// own. `resource` goes along only where the provider understands it. Pure.

import { createHash } from 'node:crypto';
import type { Authorization } from '#oauth-facade/authorize/authorization.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { callbackUrl, fillDirectory } from '#oauth-facade/provider/endpoints.ts';

/** What comes back in `state`, sealed. */
export type SignIn = {
  readonly authorization: Authorization;
  /** `browserDigest` of the browser it was begun in. */
  readonly browser: string;
  /** Good for one way back. */
  readonly id: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly untilSeconds: number;
};

/** What the provider is asked for: the client's scopes and those the registry adds, each once. */
export const scopesAsked = ({ facade }: Pick<Fronted, 'facade'>, scopes: readonly string[]): string =>
  [...new Set([...scopes, ...facade.scopes])].join(' ');

/** `resource`, for a provider that understands it. */
export const resourceAsked = (
  { facade }: Pick<Fronted, 'facade'>,
  resource: string,
): Readonly<Record<string, string>> => (facade.sendsResource ? { resource } : {});

/** @param state the sealed sign-in */
export const signInUrl = (
  fronted: Fronted,
  { authorization, verifier, nonce }: SignIn,
  state: string,
): string => {
  const url = new URL(fillDirectory(fronted.facade.authorizationEndpoint, fronted.issuer));
  const query = {
    ...authorization.passed,
    response_type: 'code',
    client_id: fronted.facade.clientId,
    redirect_uri: callbackUrl(fronted),
    scope: scopesAsked(fronted, authorization.scopes),
    ...resourceAsked(fronted, authorization.resource),
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
};
