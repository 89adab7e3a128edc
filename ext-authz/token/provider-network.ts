// MSAL's way to the network: one POST, to the issuer's own token endpoint, through the egress guard, with a time-out
// and a cap MSAL's own client lacks. It remembers the answer, because MSAL's errors lose status and Retry-After.

import type { INetworkModule } from '@azure/msal-node';
import { GatewayError } from '#core/gateway-error.ts';
import type { ExchangeFailure } from '#ext-authz/token/exchanger.ts';
import { type ProviderAnswer, parseProviderBody } from '#ext-authz/token/provider-answer.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';

/**
 * Entra answers in well under a second; a caller is not kept waiting longer than this, milliseconds. Less than the
 * check itself has (CHECK_DEADLINE_MS in main.ts), so that a token from before can still be used.
 */
const EXCHANGE_TIMEOUT_MS = 4_000;

/** A token with 200 groups is about 12 KB. */
const MAX_ANSWER_BYTES = 256 * 1024;

export type ProviderNetwork = {
  readonly module: INetworkModule;
  /** What was heard; undefined where nothing was sent. */
  heard(): ProviderAnswer | Extract<ExchangeFailure, { kind: 'unreachable' | 'egress-refused' }> | undefined;
};

/**
 * A network for one exchange.
 * @param options.tokenEndpoint replaces whatever address MSAL has in mind: it accepts https authorities of clouds it
 * knows only, so it is told one of those and never learns the real one.
 */
export const createProviderNetwork = (options: {
  readonly fetch: EgressGuard['fetch'];
  readonly tokenEndpoint: string;
  readonly timeoutMs?: number;
}): ProviderNetwork => {
  let heard: ReturnType<ProviderNetwork['heard']>;
  const post: INetworkModule['sendPostRequestAsync'] = async <T>(_url: string, request = {}) => {
    const { headers = {}, body = '' } = request as { headers?: Record<string, string>; body?: string };
    try {
      const answer = await options.fetch(options.tokenEndpoint, {
        method: 'POST',
        headers,
        body,
        timeoutMs: options.timeoutMs ?? EXCHANGE_TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
      });
      const parsed = parseProviderBody(answer.body);
      const facts = { status: answer.status, retryAfter: answer.headers.get('retry-after') };
      heard = parsed === undefined ? facts : { ...facts, body: parsed };
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: (parsed ?? {}) as T,
      };
    } catch (thrown) {
      // The guard's own sentences name a kind of failure and nothing of the request.
      const detail = thrown instanceof GatewayError ? thrown.message : 'the request failed';
      const { code } = GatewayError.from(thrown);
      heard = { kind: code === 'egress_refused' ? 'egress-refused' : 'unreachable', detail };
      throw thrown;
    }
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
