// MSAL's way to the network: one POST, to the issuer's own token endpoint. It remembers the answer, because MSAL's errors
// lose status and Retry-After.

import type { INetworkModule } from '@azure/msal-node';
import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import type { ProviderAnswer } from '#ext-authz/token/provider-answer.ts';
import { type EndpointOptions, postToEndpoint, type Unanswered } from '#ext-authz/token/token-endpoint.ts';

export type ProviderNetwork = {
  readonly module: INetworkModule;
  /** What was heard; undefined where nothing was sent. */
  heard(): Result<ProviderAnswer, Unanswered> | undefined;
};

/**
 * A network for one exchange.
 * @param options.tokenEndpoint replaces whatever address MSAL has in mind: it accepts https authorities of clouds it
 * knows only, so it is told one of those and never learns the real one.
 */
export const createProviderNetwork = (
  options: EndpointOptions & { readonly tokenEndpoint: string },
): ProviderNetwork => {
  let heard: ReturnType<ProviderNetwork['heard']>;
  const post: INetworkModule['sendPostRequestAsync'] = async <T>(_url: string, request = {}) => {
    const { headers = {}, body = '' } = request as { headers?: Record<string, string>; body?: string };
    heard = await postToEndpoint(options, { tokenEndpoint: options.tokenEndpoint, headers, body });
    if (!heard.ok) throw new GatewayError('provider_failed', heard.error.detail);
    const { status, retryAfter, body: answered = {} } = heard.value;
    return {
      status,
      headers: retryAfter === null ? {} : { 'retry-after': retryAfter },
      body: answered as T,
    };
  };
  return {
    module: {
      sendPostRequestAsync: post,
      // Discovery is never needed for a known authority; a GET would go where no admin sent us.
      sendGetRequestAsync: async () => {
        throw new GatewayError('egress_refused', 'MSAL may not fetch documents');
      },
    },
    heard: () => heard,
  };
};
