// One POST to a token endpoint, through the egress guard, bounded in time and size. Knows no grant and no meaning of an
// answer.

import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ExchangeFailure } from '#ext-authz/token/exchanger.ts';
import { type ProviderAnswer, parseProviderBody } from '#ext-authz/token/provider-answer.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';

/**
 * Providers answer in well under a second; a caller is not kept waiting longer than this, milliseconds. Less than the
 * check itself has (CHECK_DEADLINE_MS in main.ts), so that a token from before can still be used.
 */
const EXCHANGE_TIMEOUT_MS = 4_000;

/** A token with 200 groups is about 12 KB. */
const MAX_ANSWER_BYTES = 256 * 1024;

export type EndpointOptions = { readonly fetch: EgressGuard['fetch']; readonly timeoutMs?: number };

export type Unanswered = Extract<ExchangeFailure, { kind: 'unreachable' | 'egress-refused' }>;

/** What the endpoint answered, whatever it was; the error where nothing came. */
export const postToEndpoint = async (
  { fetch, timeoutMs = EXCHANGE_TIMEOUT_MS }: EndpointOptions,
  request: {
    readonly tokenEndpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    /** A form. */
    readonly body: string;
  },
): Promise<Result<ProviderAnswer, Unanswered>> => {
  try {
    const answer = await fetch(request.tokenEndpoint, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const body = parseProviderBody(answer.body);
    const facts = { status: answer.status, retryAfter: answer.headers.get('retry-after') };
    return ok(body === undefined ? facts : { ...facts, body });
  } catch (thrown) {
    // The guard's own sentences name a kind of failure and nothing of the request.
    const detail = thrown instanceof GatewayError ? thrown.message : 'the request failed';
    const { code } = GatewayError.from(thrown);
    return err({ kind: code === 'egress_refused' ? 'egress-refused' : 'unreachable', detail });
  }
};
