// What a request is refused with: an error of OAuth and a plain sentence for whoever reads it. Of what was sent nothing is
// repeated, so that a sentence can stand in a page, a log and an address.

import { err, type Result } from '#core/result.ts';

/** RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2, with the status each has at an endpoint of its own. */
const STATUS = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  invalid_scope: 400,
  invalid_target: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  access_denied: 403,
  server_error: 502,
  temporarily_unavailable: 503,
} as const;

type OAuthError = keyof typeof STATUS;

export type Refusal = {
  readonly error: OAuthError;
  /** Without quote and backslash (RFC 6749 §4.1.2.1). */
  readonly sentence: string;
  readonly status: number;
  /** For the log alone. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
};

/** A refusal by its error; more where the status or the log need it. */
export const refusal = (
  error: OAuthError,
  sentence: string,
  more: Partial<Omit<Refusal, 'error' | 'sentence'>> = {},
): Refusal => ({ error, sentence, status: STATUS[error], ...more });

/** The same as a result. */
export const refuse = (...given: Parameters<typeof refusal>): Result<never, Refusal> =>
  err(refusal(...given));
