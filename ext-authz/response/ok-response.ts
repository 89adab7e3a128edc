// What Envoy does with an allowed request before it goes upstream: our version, the upstream's token, and none of the
// caller's own credentials (MCP authorization, Token Passthrough).

import type { Allow, Steering } from '#core/decision.ts';
import { HASH_HEADER, HOST_HEADER, RETRY_HEADER, VERSION_HEADER } from '#core/internal-headers.ts';
import { err, ok, type Result } from '#core/result.ts';
import { LAST_EVENT_ID_HEADER } from '#core/sealed-event-id.ts';
import { SESSION_ID_HEADER } from '#core/sealed-session.ts';
import { SECRET_HEADER_PATTERN } from '#core/secret-header.ts';
import { isVisibleAscii } from '#core/visible-ascii.ts';
import {
  type HeaderOption,
  headerOption,
  headerOptions,
  type OkResponse,
} from '#ext-authz/response/check-response-message.ts';
import type { CorsHeaders } from '#ext-authz/response/cors.ts';

const AUTHORIZATION = 'authorization';

/**
 * Headers in which proxies and platforms carry credentials of the caller. Cookies too: all servers share the gateway's
 * origin, so one server's cookie would be sent to the next.
 */
const CALLER_CREDENTIALS = [
  'cookie',
  'proxy-authorization',
  'dpop',
  'x-forwarded-access-token',
  'x-forwarded-authorization',
  'x-auth-request-access-token',
  'x-amzn-oidc-accesstoken',
  'x-amzn-oidc-data',
  'x-goog-iap-jwt-assertion',
  'cf-access-jwt-assertion',
  'x-ms-token-aad-access-token',
  'x-ms-token-aad-id-token',
  'x-ms-token-aad-refresh-token',
];

/** Headers in which such proxies tell a server who is calling: a server that believes them would believe our caller. */
const CALLER_CLAIMS = [
  'remote-user',
  'x-remote-user',
  'x-remote-group',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-auth-request-user',
  'x-auth-request-email',
  'x-auth-request-groups',
  'x-auth-request-preferred-username',
  'x-amzn-oidc-identity',
  'x-goog-authenticated-user-email',
  'x-goog-authenticated-user-id',
  'cf-access-authenticated-user-email',
  'x-ms-client-principal',
  'x-ms-client-principal-id',
  'x-ms-client-principal-name',
  'x-ms-client-principal-idp',
];

/** Headers that make some frameworks serve another method or path than the one that was judged. */
const REQUEST_OVERRIDES = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];

const REMOVED = [...CALLER_CREDENTIALS, ...CALLER_CLAIMS, ...REQUEST_OVERRIDES];

const SECRET_HEADER = new RegExp(SECRET_HEADER_PATTERN);

/** Undefined if a value cannot stand in a header. */
const steeringHeaders = ({ path, host, hash, retry }: Steering): readonly HeaderOption[] | undefined => {
  const values = { ':path': path, [HOST_HEADER]: host, [HASH_HEADER]: hash, [RETRY_HEADER]: retry };
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.every(([, value]) => isVisibleAscii(value))
    ? headerOptions(Object.fromEntries(given))
    : undefined;
};

/** Sets or removes: in Envoy remove wins, so a header is never in both. */
type RequestHeaders = { readonly set: readonly HeaderOption[]; readonly remove: readonly string[] };

/** The caller's own token never goes on: it is replaced, or it is removed. */
const authorizationFor = ({ upstreamToken, upstreamHeader }: Allow): RequestHeaders | undefined => {
  if (upstreamToken === null) return { set: [], remove: [AUTHORIZATION] };
  const token = upstreamToken.reveal();
  if (!isVisibleAscii(token)) return undefined;
  if (upstreamHeader === undefined)
    return { set: [headerOption(AUTHORIZATION, `Bearer ${token}`)], remove: [] };
  // In Envoy remove wins: a secret in one of these headers would not arrive, and none of them is a server's to read.
  return REMOVED.includes(upstreamHeader) || !SECRET_HEADER.test(upstreamHeader)
    ? undefined
    : { set: [headerOption(upstreamHeader, token)], remove: [AUTHORIZATION] };
};

/** The server's own id in place of the sealed one. */
const sessionFor = ({ session }: Allow): RequestHeaders =>
  session === undefined
    ? { set: [], remove: [SESSION_ID_HEADER] }
    : { set: [headerOption(SESSION_ID_HEADER, session.id)], remove: [] };

/** An event id that was not opened goes nowhere, whatever it stands on: some servers read it on any method. */
const resumptionFor = ({ resumeAfter }: Allow): RequestHeaders =>
  resumeAfter === undefined
    ? { set: [], remove: [LAST_EVENT_ID_HEADER] }
    : { set: [headerOption(LAST_EVENT_ID_HEADER, resumeAfter)], remove: [] };

/**
 * Servers repeat a session's id on every answer; Envoy takes it off, and this puts the client's own in its place. Not at an
 * `initialize`: the id of a session that begins comes from ext-proc.
 */
const sealedAgain = ({ session, orders }: Allow): readonly HeaderOption[] =>
  session === undefined || orders.guard === 'session'
    ? []
    : [headerOption(SESSION_ID_HEADER, session.sealed)];

/** The error names what cannot stand in a header, to which Envoy would answer 500 without a word; the caller must refuse then. */
export const okResponseFromAllow = (
  decision: Allow,
  cors: CorsHeaders | undefined,
): Result<OkResponse, 'version' | 'steering' | 'token'> => {
  if (!isVisibleAscii(decision.version)) return err('version');
  const steering = steeringHeaders(decision.steering ?? {});
  if (steering === undefined) return err('steering');
  const authorization = authorizationFor(decision);
  if (authorization === undefined) return err('token');
  const own = [authorization, sessionFor(decision), resumptionFor(decision)];
  const version = headerOption(VERSION_HEADER, decision.version);
  return ok({
    headers: [version, ...steering, ...own.flatMap(({ set }) => set)],
    headers_to_remove: [...own.flatMap(({ remove }) => remove), ...REMOVED],
    response_headers_to_add: [...(cors === undefined ? [] : headerOptions(cors)), ...sealedAgain(decision)],
  });
};
