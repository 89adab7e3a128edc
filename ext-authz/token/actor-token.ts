// The token by which the gateway's application is the actor of an exchange (RFC 8693 §2.1): its own, by client credentials,
// kept while it lives. It is shown to the provider that issued it and to nobody else.

import { LRUCache } from 'lru-cache';
import { canonicalJson } from '#core/canonical-json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { createClientCredentials } from '#ext-authz/token/client-credentials.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';
import type { ExchangeFailure, ExchangeRequest, Exchanger } from '#ext-authz/token/exchanger.ts';
import type { EndpointOptions } from '#ext-authz/token/token-endpoint.ts';
import { createSingleflight } from '#runtime/singleflight.ts';

/** One that ends sooner is renewed: the exchange it goes with takes a while. */
const FRESH_SECONDS = 60;

/** Applications; each is one token. */
const MAX_ENTRIES = 1_000;

export type ActorTokens = {
  find(request: ExchangeRequest): Promise<Result<Secret, ExchangeFailure>>;
};

/** For nothing but itself: no scope and no resource of a server is asked for. */
const planOf = ({ application, tokenEndpoint, assertionAudience }: ExchangePlan): ExchangePlan => ({
  kind: 'client-credentials',
  application,
  tokenEndpoint,
  scopes: [],
  ...(assertionAudience === undefined ? {} : { assertionAudience }),
});

/** Remembers nothing yet. */
export const createActorTokens = (options: EndpointOptions): ActorTokens => {
  const known = new LRUCache<string, { readonly token: Secret; readonly until: number }>({
    max: MAX_ENTRIES,
  });
  const flights = createSingleflight<Awaited<ReturnType<Exchanger>>>();
  const exchange = createClientCredentials(options);

  const ask = async (key: string, request: ExchangeRequest): Promise<Result<Secret, ExchangeFailure>> => {
    // Whoever waits has a deadline of its own; the request itself has one in the network.
    const flown = await flights.run(key, () => exchange(request), new AbortController().signal);
    if (!flown.ok) return err({ kind: 'unreachable', detail: flown.error });
    if (!flown.value.ok) return flown.value;
    const { token, expiresInSeconds } = flown.value.value;
    known.set(key, { token, until: request.nowSeconds + expiresInSeconds - FRESH_SECONDS });
    return ok(token);
  };

  return {
    find: async (request) => {
      const plan = planOf(request.plan);
      const key = canonicalJson([request.tenantId, plan]);
      const held = known.get(key);
      return held !== undefined && held.until > request.nowSeconds
        ? ok(held.token)
        : ask(key, { ...request, plan });
    },
  };
};
