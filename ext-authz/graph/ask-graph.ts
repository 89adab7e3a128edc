// One request to Microsoft Graph, through the guard, and what came of it. Of what goes wrong only Graph's own names are
// told: its messages may hold ids of people.

import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { parseProviderBody, parseRetryAfter } from '#ext-authz/token/provider-answer.ts';
import type { EgressGuard, EgressResponse } from '#runtime/egress-guard.ts';

export type GraphQuestion = {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** Origin, without a slash. */
  readonly graphUrl: string;
  /** With its query, from the slash on: `/v1.0/users/…`. */
  readonly path: string;
  readonly body?: Json;
  /** An application's own, for Graph. */
  readonly token: Secret;
  readonly nowSeconds: number;
};

export type GraphRefusal =
  /** Not now: no answer, throttled, or an answer that cannot be read. */
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds?: number }
  /** Not to this application, not in this way, or no such thing. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly detail: string };

/** The body of an answer of success. Never rejects. */
export type AskGraph = (question: GraphQuestion) => Promise<Result<JsonObject, GraphRefusal>>;

/** Nothing that waits for an answer waits longer for one question, milliseconds. */
const TIMEOUT_MS = 2_000;

/** A page of changed people, or 2,000 group ids of 40 bytes, with room. */
const MAX_BYTES = 512 * 1024;

const unavailable = (detail: string, retryAfterSeconds?: number): Result<never, GraphRefusal> =>
  err({ kind: 'unavailable', detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });

const refused = (status: number, code: string, detail: string): Result<never, GraphRefusal> =>
  err({ kind: 'refused', status, code, detail });

/** Graph's name of an error, `Request_ResourceNotFound`; `unnamed` where it gives none. */
export const graphCodeOf = (body: JsonObject | undefined): string => {
  const error = body?.['error'];
  const code = isJsonObject(error) ? error['code'] : undefined;
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'unnamed';
};

const readAnswer = (
  { status, headers, body: text }: EgressResponse,
  nowSeconds: number,
): Result<JsonObject, GraphRefusal> => {
  const body = parseProviderBody(text);
  if (status >= 200 && status < 300)
    return body === undefined ? unavailable('the answer cannot be read') : ok(body);
  if (status === 429 || status >= 500)
    return unavailable(`status ${status}`, parseRetryAfter(headers.get('retry-after'), nowSeconds));
  const code = graphCodeOf(body);
  return refused(status, code, `status ${status}, ${code}`);
};

export const createAskGraph =
  (fetch: EgressGuard['fetch']): AskGraph =>
  async ({ method = 'GET', graphUrl, path, body, token, nowSeconds }) => {
    try {
      const answer = await fetch(`${graphUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token.reveal()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      return readAnswer(answer, nowSeconds);
    } catch (thrown) {
      const { code, message } = GatewayError.from(thrown);
      // The guard's own sentences name a kind of failure and nothing of the request.
      return code === 'egress_refused' ? refused(0, 'egress_refused', message) : unavailable(message);
    }
  };
