// How Entra ID refuses: the AADSTS codes this stand-in knows, each with the OAuth error, status and suberror that go
// with it, and the body they travel in. Knows nothing of who asked.

import { randomUUID } from 'node:crypto';

type ErrorRow = {
  readonly status: number;
  /** The OAuth `error`. Clients react to this, to `suberror` and to `claims`, never to the sentence. */
  readonly error: string;
  readonly suberror?: string;
  readonly sentence: string;
};

const row = (
  error: string,
  sentence: string,
  more: { status?: number; suberror?: string } = {},
): ErrorRow => ({
  status: more.status ?? 400,
  error,
  sentence,
  ...(more.suberror === undefined ? {} : { suberror: more.suberror }),
});

const grant = (sentence: string, suberror?: string): ErrorRow =>
  row('invalid_grant', sentence, suberror === undefined ? {} : { suberror });
const interaction = (sentence: string, suberror = 'basic_action'): ErrorRow =>
  row('interaction_required', sentence, { suberror });
const client = (sentence: string): ErrorRow => row('invalid_client', sentence, { status: 401 });
const consent = (sentence: string): ErrorRow => grant(sentence, 'consent_required');
const outage = (sentence: string): ErrorRow => row('temporarily_unavailable', sentence, { status: 503 });

/** Every code by its number. */
export const ENTRA_ERRORS = {
  16003: grant('The user account has not been added to the directory.'),
  28000: row('invalid_request', 'Scopes of more than one resource were asked for.'),
  50011: row('invalid_request', 'The redirect URI is not among those of the application.'),
  50012: client('Authentication of the client failed.'),
  50013: grant('The assertion is not valid.'),
  50014: grant('The user does not exist in this directory.'),
  50033: outage('A transient error has occurred.'),
  50034: grant('The user account does not exist in this directory.'),
  50057: grant('The user account is disabled.'),
  50074: interaction('Strong authentication is required.'),
  50076: interaction('Multi-factor authentication is required to reach this resource.'),
  50078: interaction('The multi-factor authentication has expired.'),
  50079: interaction('The user has to enrol for multi-factor authentication.'),
  50097: interaction('Device authentication is required.', 'additional_action'),
  50105: grant('The user is not assigned to a role of the application.'),
  50126: grant('The user name or password is not right.'),
  50132: grant('The session is not valid because of a password change.'),
  50133: grant('The session is not valid because of an expired or recently changed password.'),
  50158: interaction('An external security challenge was not satisfied.', 'additional_action'),
  50173: grant('The grant has been revoked; a fresh sign-in is needed.', 'bad_token'),
  50196: row('invalid_request', 'The client runs in a loop.', { status: 400 }),
  53000: interaction('The device is not compliant.', 'additional_action'),
  53001: interaction('The device is not joined to the domain.', 'additional_action'),
  53002: interaction('The application is not an approved one.', 'additional_action'),
  53003: interaction('Access is blocked by Conditional Access.', 'message_only'),
  53011: grant('The user is blocked because of risk.'),
  50148: grant('The code verifier does not match the code challenge.'),
  65001: consent('Nobody has consented that this application uses the resource.'),
  65004: consent('The user declined to consent.'),
  70000: grant('The code was issued for another client or another address.'),
  70002: client('The credentials of the client are not valid.'),
  70003: row('unsupported_grant_type', 'The grant type is not supported.'),
  70008: grant('The refresh token has expired.', 'token_expired'),
  70011: row('invalid_scope', 'The scope is not valid.'),
  70043: grant('The refresh token has expired by sign-in frequency.', 'bad_token'),
  90002: row('invalid_request', 'The directory was not found.'),
  90014: row('invalid_request', 'A parameter is missing or repeated.'),
  90033: outage('A transient error has occurred.'),
  500011: row('invalid_resource', 'The resource was not found in this directory.'),
  500131: grant('The audience of the assertion does not match the client application.'),
  500133: grant('The assertion is not within its valid time range.'),
  501051: grant('The application is not assigned to a role of the resource.'),
  530035: interaction('Access is blocked by security defaults.', 'message_only'),
  650052: consent('The organisation has no service principal for the resource.'),
  650053: row('invalid_scope', 'The scope does not exist on the resource.'),
  650056: consent('The application asks for permissions it has not registered.'),
  650057: consent('The resource is not listed among the permissions of the application.'),
  700011: row('unauthorized_client', 'The application was not found.'),
  700016: row('unauthorized_client', 'The application was not found in this directory.'),
  700021: client('The client assertion is of another application than the request.'),
  700023: client('The client assertion is addressed to somebody else.'),
  700024: client('The client assertion is not within its valid time range.'),
  700027: client('The client assertion failed signature validation.'),
  700030: client('The certificate of the client is not valid.'),
  700082: grant('The refresh token has expired due to inactivity.', 'bad_token'),
  700084: grant('The refresh token of a single page application has expired.', 'bad_token'),
  700211: client('No federated identity record has the issuer of the assertion.'),
  700212: client('No federated identity record has the audience of the assertion.'),
  700213: client('No federated identity record has the subject of the assertion.'),
  900144: row('invalid_request', 'A required parameter is missing from the request body.'),
  1002012: row('invalid_scope', 'Client credentials need a scope that ends in /.default.'),
  7000114: grant('The application may not make application on-behalf-of calls.'),
  7000215: client('The client secret is not right.'),
  7000218: client('The request body must hold client_assertion or client_secret.'),
  7000222: client('The client secret has expired.'),
  9002325: row('invalid_request', 'Proof Key for Code Exchange is required.'),
  9010010: row('invalid_target', 'The resource does not match the scopes that are asked for.'),
} as const satisfies Record<number, ErrorRow>;

export type EntraCode = keyof typeof ENTRA_ERRORS;

/** True for a code of the table. */
export const isEntraCode = (code: unknown): code is EntraCode =>
  typeof code === 'number' && Object.hasOwn(ENTRA_ERRORS, code);

export type EntraRefusal = {
  readonly code: EntraCode;
  /** JSON text of a claims challenge. */
  readonly claims?: string;
};

/** A refusal as Entra's token endpoint writes it: status and JSON body. */
export const entraErrorReply = (refusal: EntraRefusal, nowMs: number): { status: number; body: object } => {
  const { status, error, sentence, suberror }: ErrorRow = ENTRA_ERRORS[refusal.code];
  const ids = { trace_id: randomUUID(), correlation_id: randomUUID() };
  const timestamp = `${new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const body = {
    error,
    error_description: `AADSTS${refusal.code}: ${sentence} Trace ID: ${ids.trace_id} Correlation ID: ${ids.correlation_id} Timestamp: ${timestamp}`,
    error_codes: [refusal.code],
    timestamp,
    ...ids,
    ...(suberror === undefined ? {} : { suberror }),
    ...(refusal.claims === undefined ? {} : { claims: refusal.claims }),
  };
  return { status, body };
};
