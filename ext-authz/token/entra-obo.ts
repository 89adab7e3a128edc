// On-Behalf-Of at Entra ID: the caller's token is traded for one to the server's own resource, same user.

import type { Exchanger } from '#ext-authz/token/exchanger.ts';
import { createMsalExchanger, type MsalOptions } from '#ext-authz/token/msal-exchange.ts';

export const createEntraObo = (options: MsalOptions): Exchanger =>
  createMsalExchanger(options, (client, { assertion, scopes }) =>
    client.acquireTokenOnBehalfOf({ oboAssertion: assertion.reveal(), scopes: [...scopes], skipCache: true }),
  );
