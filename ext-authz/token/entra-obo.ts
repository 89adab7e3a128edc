// On-Behalf-Of at Entra ID: the caller's token is traded for one to the server's own resource, same user.

import type { Exchanger } from '#ext-authz/token/exchanger.ts';
import { createMsalExchanger } from '#ext-authz/token/msal-exchange.ts';
import type { EndpointOptions } from '#ext-authz/token/token-endpoint.ts';

export const createEntraObo = (options: EndpointOptions): Exchanger =>
  createMsalExchanger(options, (client, { assertion, plan }) =>
    client.acquireTokenOnBehalfOf({
      oboAssertion: assertion.reveal(),
      scopes: [...plan.scopes],
      skipCache: true,
    }),
  );
