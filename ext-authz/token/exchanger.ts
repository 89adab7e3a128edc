// The outline every exchanger shares: one request to a token endpoint, and what came of it. Exchangers judge nothing:
// what a failure means for the caller is in errors.ts.

import type { Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { LoadedCredential } from '#ext-authz/token/credential.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';

export type ExchangeRequest = {
  readonly tenantId: string;
  readonly plan: ExchangePlan;
  /** That of the plan's application, as its files were a moment ago. */
  readonly credential: LoadedCredential;
  /** The caller's own token; exchangers that act for the application alone do not read it. */
  readonly assertion: Secret;
  readonly nowSeconds: number;
};

export type ExchangedToken = {
  readonly token: Secret;
  readonly expiresInSeconds: number;
  /** Scopes it is for; absent: those that were asked for (RFC 6749 §5.1). */
  readonly scopes?: readonly string[];
  /** `issued_token_type` of RFC 8693. */
  readonly issuedTokenType?: string;
};

/**
 * What the provider said instead of a token. All texts are vetted: names and GUIDs only, never a description, which
 * holds ids of users. `claims` is the provider's JSON, unparsed.
 */
export type ProviderRefusal = {
  readonly kind: 'refused';
  readonly status: number;
  /** Given where the grant makes a difference to what the error means. */
  readonly of?: 'token-exchange';
  readonly error: string;
  readonly suberror?: string;
  readonly codes: readonly number[];
  readonly claims?: string;
  readonly retryAfterSeconds?: number;
  readonly traceId?: string;
  readonly correlationId?: string;
};

export type ExchangeFailure =
  | ProviderRefusal
  /** An answer that is not what a token endpoint says: not JSON, cut short, no token in it. */
  | { readonly kind: 'unreadable'; readonly status: number; readonly retryAfterSeconds?: number }
  /** No answer: refused connection, time-out, too long. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Our own rules forbid the address. */
  | { readonly kind: 'egress-refused'; readonly detail: string }
  /** The request could not even be built. */
  | { readonly kind: 'unsent'; readonly detail: string }
  /** The provider handed the caller's own token back. */
  | { readonly kind: 'echoed' }
  /** A token of another kind than was asked for, or one that opens more. */
  | { readonly kind: 'unfit'; readonly detail: 'token-type' | 'scopes' | 'audience' };

export type Exchanger = (request: ExchangeRequest) => Promise<Result<ExchangedToken, ExchangeFailure>>;
