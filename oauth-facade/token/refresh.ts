// Grant `refresh_token`: goes on to the provider, for the client, the server and the scopes the sign-in was for.

import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { clientDigest } from '#oauth-facade/authorize/authorization.ts';
import { findResource } from '#oauth-facade/authorize/resource.ts';
import { isLetIn } from '#oauth-facade/client/find-client.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import type { Parameters } from '#oauth-facade/http/parameters.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import { resourceAsked, scopesAsked } from '#oauth-facade/provider/sign-in.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import { type Granted, openHandle, type TokenFamily } from '#oauth-facade/token/refresh-handle.ts';
import { takeTurn } from '#oauth-facade/token/refresh-line.ts';

const scopesWanted = (
  { scopes }: TokenFamily,
  asked: string | undefined,
): Result<readonly string[], Refusal> => {
  if (asked === undefined) return ok(scopes);
  const words = [...new Set(asked.split(' '))].filter((word) => word !== '' && word !== 'offline_access');
  return words.every((word) => scopes.includes(word))
    ? ok(words.length === 0 ? scopes : words)
    : refuse('invalid_scope', 'A scope is asked for that the sign-in was not for.');
};

const judgeFamily = (
  parts: FacadeParts,
  fronted: Fronted,
  { family, given }: { readonly family: TokenFamily; readonly given: Parameters },
): Result<true, Refusal> => {
  if (clientDigest(given.get('client_id') ?? '') !== family.client)
    return refuse('invalid_grant', 'The refresh token was given to another client.');
  if ((given.get('resource') ?? family.resource) !== family.resource)
    return refuse('invalid_target', 'resource is not the one the sign-in was for.');
  // What the registry has taken away since, it has taken away from here on.
  if (findResource(fronted, family.resource, parts.gatewayUrl) === undefined)
    return refuse('invalid_grant', 'The server of the sign-in is not signed in to here any more.');
  if (!isLetIn(fronted, given.get('client_id') ?? '', parts))
    return refuse('invalid_client', 'The client is not let in here any more.');
  return ok(true);
};

export const refresh = async (
  parts: FacadeParts,
  fronted: Fronted,
  given: Parameters,
): Promise<Result<Granted, Refusal>> => {
  const handle = openHandle(parts, fronted, given.get('refresh_token') ?? '');
  if (handle === undefined)
    return refuse('invalid_grant', 'The refresh token is not known here, or too old.');
  const { family, refreshToken } = handle;
  const judged = judgeFamily(parts, fronted, { family, given });
  if (!judged.ok) return judged;
  const scopes = scopesWanted(family, given.get('scope'));
  if (!scopes.ok) return scopes;
  const nextId = parts.newId();
  const turn = await takeTurn(parts, { familyId: family.id, handleId: handle.id, nextId });
  if (!turn.ok) return turn;
  const tokens = await parts.askProvider(fronted, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    scope: scopesAsked(fronted, scopes.value),
    ...resourceAsked(fronted, family.resource),
  });
  if (!tokens.ok) return err(tokens.error);
  // A provider that gives no new one means the old one to be used again (RFC 6749 §6).
  const { refreshToken: next = new Secret(refreshToken) } = tokens.value;
  return ok({ tokens: { ...tokens.value, refreshToken: next }, family, handleId: nextId });
};
