// Which scopes a client gets of those it asks for: those of the server it named and no others. The façade's registration at
// the provider may be good for much more, and whoever asks for that in its name must not get it. Pure.

import { ok, type Result } from '#core/result.ts';
import { advertisedScopes, challengeScopes, type ScopedEndpoint } from '#core/told-scopes.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';

/** OpenID Connect's own: which of them the provider is asked for is the registry's word. */
const OPENID_SCOPES: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
]);

const MAX_SCOPES = 64;

const known = (endpoint: ScopedEndpoint, issuerId?: string): ReadonlySet<string> => {
  const advertised = advertisedScopes(endpoint, issuerId);
  const ofTools = endpoint.server.versions.flatMap(({ tools }) =>
    tools.flatMap((tool) => tool.requiredScopes),
  );
  return new Set([...advertised, ...challengeScopes(ofTools, advertised)]);
};

/**
 * @param asked the client's `scope`; undefined: what every call of the server needs
 * @returns the scopes, sorted, or `invalid_scope`. Scopes of the server's other issuers, which the same metadata names, are
 * left out, as RFC 6749 §3.3 allows.
 */
export const grantedScopes = (
  endpoint: ScopedEndpoint,
  issuerId: string,
  asked: string | undefined,
): Result<readonly string[], Refusal> => {
  const words = [...new Set((asked ?? '').split(' '))].filter(
    (word) => word !== '' && !OPENID_SCOPES.has(word),
  );
  if (words.length === 0) return ok(advertisedScopes(endpoint, issuerId).toSorted());
  const ours = known(endpoint, issuerId);
  const anybodys = known(endpoint);
  if (words.length > MAX_SCOPES || !words.every((word) => ours.has(word) || anybodys.has(word)))
    return refuse('invalid_scope', 'A scope is asked for that is none of the server named by resource.');
  const granted = words.filter((word) => ours.has(word));
  return granted.length === 0
    ? refuse('invalid_scope', 'No scope is asked for that this identity provider has for the server.')
    : ok(granted.toSorted());
};
