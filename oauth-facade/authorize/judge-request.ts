// Judges `/authorize`: who asks, where the answer would go, how it is protected, for which server and which scopes. Nothing
// that is wrong sends anybody anywhere: whoever may register an address could make a redirect to it of our own address
// (RFC 9700 §4.11.2), so refusals are pages until a person has consented.

import { ok, type Result } from '#core/result.ts';
import type { ScopedEndpoint } from '#core/told-scopes.ts';
import { type Authorization, clientDigest } from '#oauth-facade/authorize/authorization.ts';
import { grantedScopes } from '#oauth-facade/authorize/granted-scopes.ts';
import { findResource } from '#oauth-facade/authorize/resource.ts';
import type { Client } from '#oauth-facade/client/client.ts';
import { isRegisteredRedirect } from '#oauth-facade/client/redirect-uri.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import type { Parameters } from '#oauth-facade/http/parameters.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';

export type Judged = {
  readonly authorization: Authorization;
  readonly client: Client;
  readonly endpoint: ScopedEndpoint;
};

const MAX_STATE = 1_024;
/** SHA-256 in base64url (RFC 7636 §4.2). */
const CHALLENGE = /^[\w-]{43}$/;

/** RFC 9470, OpenID Connect Core §3.1.2.1 and §5.5: how a step-up that the gateway asks for reaches the provider. */
const PASSED = { login_hint: 320, acr_values: 512, claims: 2_048, max_age: 10, prompt: 64 } as const;

const judgeForm = (given: Parameters): Result<true, Refusal> => {
  if (given.get('response_type') !== 'code')
    return refuse('unsupported_response_type', 'response_type must be code.');
  if ((given.get('response_mode') ?? 'query') !== 'query')
    return refuse('invalid_request', 'response_mode must be query, or left out.');
  if (given.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(given.get('code_challenge') ?? ''))
    return refuse('invalid_request', 'PKCE with code_challenge_method S256 is required.');
  return (given.get('state') ?? '').length > MAX_STATE
    ? refuse('invalid_request', `state is longer than ${MAX_STATE} characters.`)
    : ok(true);
};

const passedOn = (given: Parameters): Result<Readonly<Record<string, string>>, Refusal> => {
  const passed: Record<string, string> = {};
  for (const [name, longest] of Object.entries(PASSED)) {
    const value = given.get(name);
    if (value !== undefined && value.length > longest)
      return refuse('invalid_request', `${name} is too long.`);
    if (value !== undefined) passed[name] = value;
  }
  return ok(passed);
};

/** @returns the request, or why it is none, for a page */
export const judgeRequest = (
  fronted: Fronted,
  client: Client,
  { given, gatewayUrl }: { readonly given: Parameters; readonly gatewayUrl: string },
): Result<Judged, Refusal> => {
  const redirectUri = given.get('redirect_uri');
  if (redirectUri === undefined || !isRegisteredRedirect(client.redirectUris, redirectUri))
    return refuse('invalid_request', 'redirect_uri is not one that the client has registered.');
  const form = judgeForm(given);
  if (!form.ok) return form;
  const endpoint = findResource(fronted, given.get('resource') ?? '', gatewayUrl);
  if (endpoint === undefined)
    return refuse('invalid_target', 'resource is not the address of a server that is signed in to here.');
  const scopes = grantedScopes(endpoint, fronted.issuer.id, given.get('scope'));
  if (!scopes.ok) return scopes;
  const passed = passedOn(given);
  if (!passed.ok) return passed;
  const state = given.get('state');
  const authorization = {
    client: clientDigest(client.id),
    redirectUri,
    ...(state === undefined ? {} : { state }),
    challenge: given.get('code_challenge') ?? '',
    resource: endpoint.resource,
    scopes: scopes.value,
    refreshes: client.refreshes,
    passed: passed.value,
  };
  return ok({ authorization, client, endpoint });
};
