// Tokens in the URL end in access logs and histories; MCP authorization forbids them (Access Token Usage).

import { type Deny, deny } from '#core/decision.ts';

const CREDENTIAL_NAMES = new Set([
  'access_token',
  'id_token',
  'refresh_token',
  'token',
  'bearer',
  'bearer_token',
  'authorization',
  'jwt',
]);

/** credential_misplaced if the query has a parameter that looks like a credential; its value is not read. */
export const refuseCredentialInQuery = (query: string): Deny | undefined => {
  if (query === '') return undefined;
  for (const name of new URLSearchParams(query).keys()) {
    if (CREDENTIAL_NAMES.has(name.trim().toLowerCase()))
      return deny('credential_misplaced', { public: { field: name.trim().toLowerCase() } });
  }
  return undefined;
};
