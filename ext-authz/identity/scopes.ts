// Whether a delegated token holds what the server asks of every delegated token. Applications hold roles instead of
// scopes; what they may do is for grants to say. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { heldScopes } from '#core/held-scopes.ts';
import type { Identity } from '#core/identity.ts';
import type { IssuerBinding, McpServer } from '#core/server.ts';

/** @returns undefined, or scope_insufficient naming all scopes the server needs, so that one new consent is enough. */
export const judgeScopes = (
  identity: Pick<Identity, 'kind' | 'scopes'>,
  binding: IssuerBinding,
  server: McpServer,
): Deny | undefined => {
  if (identity.kind === 'app') return undefined;
  const { requiredScopes } = binding;
  return requiredScopes.every((scope) => identity.scopes.includes(scope))
    ? undefined
    : deny('scope_insufficient', {
        public: { requiredScopes, heldScopes: heldScopes(server, identity) },
        log: { held: identity.scopes },
      });
};
