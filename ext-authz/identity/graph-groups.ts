// The groups of one person as Microsoft Graph knows them: one request to the configured origin, the whole list or none of
// it. The address that a token gives for its groups is never used: it names a service that is gone.

import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { isGuid } from '#ext-authz/identity/issuers.ts';
import { parseProviderBody, parseRetryAfter } from '#ext-authz/token/provider-answer.ts';
import type { EgressGuard, EgressResponse } from '#runtime/egress-guard.ts';

export type GraphQuestion = {
  /** Origin, without a slash. */
  readonly graphUrl: string;
  /** Object id of a person in the directory that issued `token`; a GUID. */
  readonly oid: string;
  /** An application's own, for Graph. */
  readonly token: Secret;
  readonly nowSeconds: number;
};

export type GraphFault =
  /** Not now: no answer, throttled, or an answer that cannot be read. */
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds?: number }
  /** Not to this application, or not in this way. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Nobody of that id is there any more. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'too-many' };

export type GraphGroups = (question: GraphQuestion) => Promise<Result<readonly string[], GraphFault>>;

/** As many as a token may name (claim-values.ts): every one of them goes into the policy's input. */
const MAX_GROUPS = 2_000;

const TIMEOUT_MS = 2_000;

/** 2,000 ids are 80 KB. */
const MAX_BYTES = 512 * 1024;

const unavailable = (detail: string, retryAfterSeconds?: number): Result<never, GraphFault> =>
  err({ kind: 'unavailable', detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });

const groupsFrom = (body: JsonObject | undefined): Result<readonly string[], GraphFault> => {
  const value = body?.['value'];
  if (!Array.isArray(value) || !value.every(isGuid)) return unavailable('the answer cannot be read');
  // A list that goes on elsewhere is not the list.
  const isCut = body?.['@odata.nextLink'] !== undefined;
  return isCut || value.length > MAX_GROUPS ? err({ kind: 'too-many' }) : ok(value);
};

/** Graph's own name of an error; never its message, which may hold ids of people. */
const codeOf = (body: JsonObject | undefined): string => {
  const error = body?.['error'];
  const code = isJsonObject(error) ? error['code'] : undefined;
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'unnamed';
};

const groupsFromAnswer = (
  { status, headers, body: text }: EgressResponse,
  nowSeconds: number,
): Result<readonly string[], GraphFault> => {
  const body = parseProviderBody(text);
  if (status === 200) return groupsFrom(body);
  const code = codeOf(body);
  if (status === 429 || status >= 500)
    return unavailable(`status ${status}`, parseRetryAfter(headers.get('retry-after'), nowSeconds));
  if (code === 'Directory_ResultSizeLimitExceeded') return err({ kind: 'too-many' });
  // Any other 404 is that of a wrong address.
  if (status === 404 && code === 'Request_ResourceNotFound') return err({ kind: 'nobody' });
  return err({ kind: 'refused', detail: `status ${status}, ${code}` });
};

/**
 * Asks Graph, through the guard. `getMemberGroups` follows groups in groups, as the claim does, and with
 * `securityEnabledOnly` names what Entra's claim names by default.
 */
export const createGraphGroups =
  (fetch: EgressGuard['fetch']): GraphGroups =>
  async ({ graphUrl, oid, token, nowSeconds }) => {
    try {
      const answer = await fetch(`${graphUrl}/v1.0/users/${encodeURIComponent(oid)}/getMemberGroups`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ securityEnabledOnly: true }),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      return groupsFromAnswer(answer, nowSeconds);
    } catch (thrown) {
      const { code, message } = GatewayError.from(thrown);
      // The guard's own sentences name a kind of failure and nothing of the request.
      return code === 'egress_refused' ? err({ kind: 'refused', detail: message }) : unavailable(message);
    }
  };
