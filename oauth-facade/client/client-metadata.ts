// What a client says of itself, in its own document or when it registers: the same members in both (RFC 7591 §2). Pure.

import type { JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import { type Client, shownName } from '#oauth-facade/client/client.ts';
import { judgeRedirectUri } from '#oauth-facade/client/redirect-uri.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';

export type ClientMetadata = Pick<Client, 'name' | 'redirectUris' | 'refreshes'>;

const MAX_REDIRECT_URIS = 32;

const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** RFC 7591 §2: absent means what the code flow needs. */
const names = (list: unknown, word: string): boolean =>
  list === undefined || (isTextList(list) && list.includes(word));

const judgeFlow = (given: JsonObject): Result<true, Refusal> => {
  if (!names(given['grant_types'], 'authorization_code') || !names(given['response_types'], 'code'))
    return refuse('invalid_client_metadata', 'Only the authorization code flow is served here.');
  // Nobody checks an assertion or a secret here: a client that counts on being told from others by one must not be let in
  // as if it had shown it.
  if (given['token_endpoint_auth_method'] === 'private_key_jwt')
    return refuse('invalid_client_metadata', 'Clients are public here: token_endpoint_auth_method is none.');
  return ok(true);
};

/**
 * @param clientHosts as in `judgeRedirectUri`
 * @returns the client, or `invalid_redirect_uri`, `invalid_client_metadata`
 */
export const judgeClientMetadata = (
  given: JsonObject,
  clientHosts: readonly string[] | undefined,
): Result<ClientMetadata, Refusal> => {
  const redirectUris = given['redirect_uris'];
  if (!isTextList(redirectUris) || redirectUris.length === 0 || redirectUris.length > MAX_REDIRECT_URIS)
    return refuse('invalid_redirect_uri', `redirect_uris must hold 1 to ${MAX_REDIRECT_URIS} addresses.`);
  for (const uri of redirectUris) {
    const judged = judgeRedirectUri(uri, clientHosts);
    if (!judged.ok) return refuse('invalid_redirect_uri', judged.error);
  }
  const flow = judgeFlow(given);
  if (!flow.ok) return flow;
  const grants = given['grant_types'];
  return ok({
    name: shownName(given['client_name']),
    redirectUris,
    refreshes: isTextList(grants) && grants.includes('refresh_token'),
  });
};
