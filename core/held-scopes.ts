// Which of its scopes a client that is sent for another has to ask for again: some clients ask for exactly what a challenge
// names, and with each step up lose what the step before brought. Pure.

import type { Identity } from '#core/identity.ts';
import type { McpServer } from '#core/server.ts';

/**
 * Scopes of the caller's token that mean something to this server, in the token's order. Others are left out: a scope of
 * another resource, or of OpenID Connect, would be asked for as one of ours.
 */
export const heldScopes = (server: McpServer, { scopes }: Pick<Identity, 'scopes'>): readonly string[] => {
  const named = new Set([
    ...server.bindings.flatMap((binding) => binding.requiredScopes),
    ...server.versions.flatMap(({ tools }) => tools.flatMap((tool) => tool.requiredScopes)),
  ]);
  return scopes.filter((scope) => named.has(scope));
};
