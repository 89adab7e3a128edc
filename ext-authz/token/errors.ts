// What a failed exchange means for the caller: the error map, row by row, first match wins. Entra asks to react to
// `error`, `suberror` and `claims`; AADSTS numbers give the finer text. Pure; times are seconds.

import type { Reason } from '#core/reason.ts';
import type { ExchangeFailure, ProviderRefusal } from '#ext-authz/token/exchanger.ts';

/**
 * Whom a refusal is remembered for. `caller`: this caller with this token. `consent`: everybody who needs the same
 * consent. `application`: everybody the same application exchanges for; only faults of the application itself.
 */
export type RefusalScope = 'caller' | 'consent' | 'application';

export type Refusal = {
  readonly reason: Reason;
  readonly scope: RefusalScope;
  /** How long the provider is not asked again; `assertion`: as long as the caller's token lives, it cannot get better. */
  readonly rememberSeconds: number | 'assertion';
  /** Nothing was said about the caller: a token still in the cache may be used, and waiting helps. */
  readonly isTransient: boolean;
  /** The provider's own wish; never undercut. */
  readonly retryAfterSeconds?: number;
  readonly claims?: string;
};

type Row = {
  readonly reason: Reason;
  readonly scope: RefusalScope;
  readonly rememberSeconds: number | 'assertion';
  readonly isTransient?: boolean;
  readonly codes: readonly number[];
  readonly errors?: readonly string[];
  readonly suberrors?: readonly string[];
  readonly matches?: (refusal: ProviderRefusal) => boolean;
};

const DEFAULT_THROTTLE_SECONDS = 5;
const DEFAULT_OUTAGE_SECONDS = 2;

const ROWS: readonly Row[] = [
  {
    // Throttled. Per caller: one user who is throttled must not slow another.
    reason: 'provider_throttled',
    scope: 'caller',
    rememberSeconds: DEFAULT_THROTTLE_SECONDS,
    isTransient: true,
    codes: [50196],
    matches: ({ status }) => status === 429,
  },
  {
    reason: 'provider_unavailable',
    scope: 'caller',
    rememberSeconds: DEFAULT_OUTAGE_SECONDS,
    isTransient: true,
    codes: [50033, 90033],
    errors: ['temporarily_unavailable', 'server_error'],
    matches: ({ status }) => status >= 500,
  },
  {
    // Our own credential. Asking again for every user would be a flood of failed sign-ins of one application; and it
    // says nothing about the caller, so a token from before is still good.
    reason: 'exchange_credential_refused',
    scope: 'application',
    rememberSeconds: 30,
    isTransient: true,
    codes: [7000215, 7000222, 7000218, 700027, 70002, 50012, 700016, 700011, 700030],
    errors: ['invalid_client'],
  },
  {
    // The assertion is for another application: a binding names the wrong one.
    reason: 'exchange_misconfigured',
    scope: 'caller',
    rememberSeconds: 60,
    codes: [500131],
  },
  { reason: 'app_only_refused', scope: 'caller', rememberSeconds: 'assertion', codes: [7000114] },
  {
    reason: 'session_revoked',
    scope: 'caller',
    rememberSeconds: 'assertion',
    codes: [50173, 50057, 50132, 50133, 50014, 50034, 16003],
  },
  {
    // With 70008 and its kin, a dead refresh token: we use none, but the way out is the same fresh sign-in.
    reason: 'assertion_rejected',
    scope: 'caller',
    rememberSeconds: 'assertion',
    codes: [50013, 500133, 70008, 700082, 70043, 700084],
  },
  {
    // The directory knows no such resource, or our application asks for nothing there: nobody can have consented.
    reason: 'consent_required',
    scope: 'consent',
    rememberSeconds: 300,
    codes: [650052, 650056, 650057, 500011],
    errors: ['invalid_resource'],
  },
  {
    // Users can consent for themselves: one who has not, or declined, says nothing about the next.
    reason: 'consent_required',
    scope: 'caller',
    rememberSeconds: 300,
    codes: [65001, 65004],
    errors: ['consent_required'],
    suberrors: ['consent_required'],
  },
  {
    // `message_only`: nothing the user can do at a sign-in page changes the answer.
    reason: 'access_blocked',
    scope: 'caller',
    rememberSeconds: 60,
    codes: [53003, 530035, 50105, 53011, 501051],
    errors: ['access_denied'],
    suberrors: ['message_only'],
  },
  {
    reason: 'step_up_required',
    scope: 'caller',
    rememberSeconds: 30,
    codes: [50076, 50079, 50074, 50078, 50158, 50097, 53000, 53001, 53002],
    errors: ['interaction_required', 'login_required'],
    matches: ({ claims }) => claims !== undefined,
  },
  {
    // RFC 7521 §4.1.1: the assertion is not valid, expired or meant for others. Which, we cannot tell: ask again soon.
    // RFC 8693 §2.2.2 calls it invalid_request, which everywhere else is a fault of ours.
    reason: 'assertion_rejected',
    scope: 'caller',
    rememberSeconds: 30,
    codes: [],
    errors: ['invalid_grant'],
    matches: ({ of, error }) => of === 'token-exchange' && error === 'invalid_request',
  },
  {
    // RFC 6749 §5.2: the application may not do this at all, so nobody else needs to try it.
    reason: 'exchange_misconfigured',
    scope: 'consent',
    rememberSeconds: 60,
    codes: [],
    errors: ['unauthorized_client', 'unsupported_grant_type'],
  },
  {
    // Anything else a provider says to a well-formed request is a fault of what an admin set up.
    reason: 'exchange_misconfigured',
    scope: 'caller',
    rememberSeconds: 30,
    codes: [],
    matches: () => true,
  },
];

const isMatch = (row: Row, refusal: ProviderRefusal): boolean =>
  refusal.codes.some((code) => row.codes.includes(code)) ||
  (row.errors ?? []).includes(refusal.error) ||
  (refusal.suberror !== undefined && (row.suberrors ?? []).includes(refusal.suberror)) ||
  (row.matches?.(refusal) ?? false);

const MISCONFIGURED: Refusal = {
  reason: 'exchange_misconfigured',
  scope: 'caller',
  rememberSeconds: 30,
  isTransient: false,
};

const outage = (retryAfterSeconds: number | undefined): Refusal => ({
  reason: 'provider_unavailable',
  scope: 'caller',
  rememberSeconds: DEFAULT_OUTAGE_SECONDS,
  isTransient: true,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

const judgeRefusal = (refusal: ProviderRefusal): Refusal => {
  const row = ROWS.find((candidate) => isMatch(candidate, refusal));
  if (row === undefined) return MISCONFIGURED;
  const { retryAfterSeconds, claims } = refusal;
  const isTransient = row.isTransient ?? false;
  return {
    reason: row.reason,
    scope: row.scope,
    rememberSeconds: row.rememberSeconds,
    isTransient,
    ...(isTransient && retryAfterSeconds !== undefined ? { retryAfterSeconds } : {}),
    ...(row.reason === 'step_up_required' && claims !== undefined ? { claims } : {}),
  };
};

/** The refusal a failed exchange becomes. */
export const judgeFailure = (failure: ExchangeFailure): Refusal => {
  switch (failure.kind) {
    case 'refused':
      return judgeRefusal(failure);
    case 'unreadable':
      return failure.status === 429
        ? { ...outage(failure.retryAfterSeconds), reason: 'provider_throttled' }
        : outage(failure.retryAfterSeconds);
    case 'unreachable':
      return outage(undefined);
    case 'unfit':
      return { ...MISCONFIGURED, reason: 'upstream_token_unfit' };
    case 'egress-refused':
    case 'unsent':
    case 'echoed':
      return MISCONFIGURED;
  }
};
