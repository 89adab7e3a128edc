// Client credentials: the gateway's own application acts, for callers who are applications themselves or servers that
// know no users. The caller's token is not sent.

import type { Exchanger } from '#ext-authz/token/exchanger.ts';
import { createMsalExchanger, type MsalOptions } from '#ext-authz/token/msal-exchange.ts';

export const createClientCredentials = (options: MsalOptions): Exchanger =>
  createMsalExchanger(options, (client, { scopes }) =>
    client.acquireTokenByClientCredential({ scopes: [...scopes], skipCache: true }),
  );
