// Client credentials (RFC 6749 §4.4) at any issuer: the gateway's own application acts, for callers who are applications
// themselves or servers that know no users. The caller's token is not sent.

import { ok } from '#core/result.ts';
import type { Exchanger } from '#ext-authz/token/exchanger.ts';
import { createPlainExchanger } from '#ext-authz/token/plain-exchange.ts';
import type { EndpointOptions } from '#ext-authz/token/token-endpoint.ts';

export const createClientCredentials = (options: EndpointOptions): Exchanger =>
  createPlainExchanger(options, async () => ok({ grant_type: 'client_credentials' }));
