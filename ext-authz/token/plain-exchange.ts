// One exchange as the RFCs write it: a form with a grant, the scopes and the resource it is for, made the application's by
// its credential. Sibling of msal-exchange.ts; what the grants differ in is theirs to say.

import type { Result } from '#core/result.ts';
import { authenticateRequest } from '#ext-authz/token/client-authentication.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';
import type { ExchangeFailure, ExchangeRequest, Exchanger } from '#ext-authz/token/exchanger.ts';
import { tokenFromAnswer } from '#ext-authz/token/provider-answer.ts';
import { type EndpointOptions, postToEndpoint } from '#ext-authz/token/token-endpoint.ts';

export type GrantForm = Readonly<Record<string, string>>;

/** Parameters of a grant, with what they take to be known. */
type BuildGrant = (request: ExchangeRequest) => Promise<Result<GrantForm, ExchangeFailure>>;

const targetForm = ({ scopes, resource }: ExchangePlan): GrantForm => ({
  ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  ...Object.fromEntries((resource?.sentAs ?? []).map((parameter) => [parameter, resource?.name ?? ''])),
});

/** An exchanger that sends the form of a grant. */
export const createPlainExchanger =
  (options: EndpointOptions, buildGrant: BuildGrant): Exchanger =>
  async (request) => {
    const grant = await buildGrant(request);
    if (!grant.ok) return grant;
    const { plan, nowSeconds } = request;
    const { headers, form } = await authenticateRequest(request);
    const answer = await postToEndpoint(options, {
      tokenEndpoint: plan.tokenEndpoint,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      body: new URLSearchParams({ ...grant.value, ...targetForm(plan), ...form }).toString(),
    });
    return answer.ok ? tokenFromAnswer(answer.value, nowSeconds) : answer;
  };
