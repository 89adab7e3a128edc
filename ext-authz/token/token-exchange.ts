// Token exchange (RFC 8693): the caller's token is traded for one to the server's own resource, same user. Where it is set
// up so, the gateway's own token goes along as the actor's, and the provider writes who acts into the new one (`act`).

import { ok } from '#core/result.ts';
import { type ActorTokens, createActorTokens } from '#ext-authz/token/actor-token.ts';
import type { ExchangeRequest, Exchanger } from '#ext-authz/token/exchanger.ts';
import { createPlainExchanger, type GrantForm } from '#ext-authz/token/plain-exchange.ts';
import type { EndpointOptions } from '#ext-authz/token/token-endpoint.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';
const ACCESS_TOKEN = `${TOKEN_TYPE}access_token`;

const subjectForm = ({ plan, assertion }: ExchangeRequest): GrantForm => ({
  grant_type: GRANT_TYPE,
  subject_token: assertion.reveal(),
  subject_token_type: ACCESS_TOKEN,
  ...(plan.requestedTokenType === undefined
    ? {}
    : { requested_token_type: `${TOKEN_TYPE}${plan.requestedTokenType}` }),
});

const buildGrant = async (request: ExchangeRequest, actors: ActorTokens) => {
  if (request.plan.actor === undefined) return ok(subjectForm(request));
  const actor = await actors.find(request);
  return actor.ok
    ? ok({
        ...subjectForm(request),
        actor_token: actor.value.reveal(),
        actor_token_type: ACCESS_TOKEN,
      })
    : actor;
};

/** Keeps the actors' tokens of its own: they are the gateway's, and no caller waits for them twice. */
export const createTokenExchange = (options: EndpointOptions): Exchanger => {
  const actors = createActorTokens(options);
  const exchange = createPlainExchanger(options, (request) => buildGrant(request, actors));
  return async (request) => {
    const exchanged = await exchange(request);
    // What is wrong with a token is an invalid_request here (RFC 8693 §2.2.2), which elsewhere is a fault of ours.
    return exchanged.ok || exchanged.error.kind !== 'refused'
      ? exchanged
      : { ok: false, error: { ...exchanged.error, of: 'token-exchange' } };
  };
};
