// The one closed list of why a call is refused, and the one table of what each refusal looks like outside.
// Clients hear the sentence; the log hears the facts. A reason doubles as its metric label.

/**
 * How a refusal travels. `challenge`: 401 with a Bearer challenge, the client must authenticate (RFC 6750 §3).
 * `scope`: 403 with an insufficient_scope challenge. `refusal`: a policy answer, a JSON-RPC error on HTTP 200 (or 403
 * where the server is set so), because SDKs read other 403s as an authorization step. `http`: the given status, always.
 */
export type Delivery = 'challenge' | 'scope' | 'refusal' | 'http';

export type ReasonRow = {
  readonly delivery: Delivery;
  /** HTTP status, except for `refusal`, where it is the server's `refusalStatus`. */
  readonly httpStatus: number;
  /** JSON-RPC error code. Ours lie in −31999…−31000, outside the ranges JSON-RPC and MCP reserve. */
  readonly jsonRpcCode: number;
  /** What the client is told. Holds no fact about any tenant, server or token. */
  readonly sentence: string;
  /** What the client can do next. */
  readonly remedy: 'authenticate' | 'ask-for-access' | 'fix-request' | 'retry-later' | 'contact-operator';
};

const request = (jsonRpcCode: number, httpStatus: number, sentence: string): ReasonRow => ({
  delivery: 'http',
  httpStatus,
  jsonRpcCode,
  sentence,
  remedy: 'fix-request',
});

const challenge = (jsonRpcCode: number, sentence: string): ReasonRow => ({
  delivery: 'challenge',
  httpStatus: 401,
  jsonRpcCode,
  sentence,
  remedy: 'authenticate',
});

const refusal = (jsonRpcCode: number, sentence: string): ReasonRow => ({
  delivery: 'refusal',
  httpStatus: 200,
  jsonRpcCode,
  sentence,
  remedy: 'ask-for-access',
});

const outage = (jsonRpcCode: number, sentence: string): ReasonRow => ({
  delivery: 'http',
  httpStatus: 503,
  jsonRpcCode,
  sentence,
  remedy: 'retry-later',
});

const fault = (jsonRpcCode: number, httpStatus: number, sentence: string): ReasonRow => ({
  delivery: 'http',
  httpStatus,
  jsonRpcCode,
  sentence,
  remedy: 'contact-operator',
});

const NOT_AVAILABLE = 'This is not available to you on this server.';

export const REASONS = {
  // Where the call comes from.
  origin_forbidden: {
    ...fault(-31001, 403, 'Calls from this web origin are not allowed.'),
    remedy: 'ask-for-access',
  },

  // The shape of the request. Codes of JSON-RPC 2.0 and MCP where they define one.
  http_method_not_allowed: request(-32600, 405, 'This HTTP method is not part of MCP here.'),
  media_type_unsupported: request(-32600, 415, 'The request body must be application/json.'),
  accept_unsupported: request(-32600, 406, 'Accept must list application/json and text/event-stream.'),
  body_too_large: request(-32600, 413, 'The request body is too large.'),
  body_incomplete: request(-32600, 400, 'The request body did not arrive whole.'),
  body_encoding_unsupported: request(-32600, 415, 'The request body must not be compressed.'),
  body_not_utf8: request(-32700, 400, 'The request body is not valid UTF-8.'),
  json_invalid: request(-32700, 400, 'The request body is not valid JSON.'),
  json_duplicate_key: request(-32600, 400, 'The request body repeats a key in one object.'),
  json_ambiguous_key: request(-32600, 400, 'The request body holds a key that not all parsers read alike.'),
  json_too_deep: request(-32600, 400, 'The request body is nested too deeply.'),
  batch_refused: request(-32600, 400, 'JSON-RPC batches are not accepted.'),
  jsonrpc_invalid: request(-32600, 400, 'The request body is not a JSON-RPC 2.0 message.'),
  params_invalid: request(-32602, 400, 'The parameters of this method are not valid.'),
  header_invalid: request(-32600, 400, 'A request header is malformed or repeated.'),
  headers_too_large: request(-32600, 431, 'The request headers are too many or too large.'),
  http_version_unsupported: request(-32600, 426, 'HTTP/1.1 or HTTP/2 is required.'),
  header_mismatch: request(-32020, 400, 'A mirrored header disagrees with the request body.'),
  protocol_version_unsupported: request(-32022, 400, 'This MCP protocol version is not supported.'),
  method_unknown: request(-32601, 404, 'This method is not known here.'),
  // With a session, 404 means that the session has ended, and the client starts anew (MCP 2025-11-25, Sessions).
  method_unknown_in_session: request(-32601, 200, 'This method is not known here.'),
  websocket_required: request(-32600, 400, 'This MCP server is reached by a WebSocket.'),
  websocket_refused: request(-32600, 400, 'This MCP server is not reached by a WebSocket. Send POST.'),
  credential_misplaced: request(-32600, 400, 'Send one access token, in the Authorization header only.'),

  // What the path names.
  endpoint_unknown: {
    ...request(-31101, 404, 'There is no MCP server at this address.'),
    remedy: 'contact-operator',
  },
  server_disabled: outage(-31102, 'This MCP server is switched off.'),
  version_unavailable: outage(-31103, 'This MCP server has no version to serve.'),
  snapshot_unavailable: outage(-31104, 'The gateway has no configuration yet.'),
  snapshot_stale: outage(-31105, 'The gateway has been without current configuration for too long.'),
  tenant_disabled: outage(-31106, 'All MCP servers of this organisation are switched off.'),

  // What it belongs to. 404 is how MCP says that a session has ended; a stolen id and a mistyped one read alike.
  session_unknown: request(-31107, 404, 'This session is not known here; begin a new one.'),

  // The caller's credential.
  token_missing: challenge(-31201, 'An access token is required.'),
  token_malformed: challenge(-31202, 'The access token is malformed.'),
  token_algorithm_refused: challenge(-31203, 'The access token is signed in a way that is not accepted.'),
  issuer_unknown: challenge(-31204, 'The issuer of the access token is not accepted here.'),
  key_unknown: challenge(-31205, 'The access token is signed with an unknown key.'),
  signature_invalid: challenge(-31206, 'The signature of the access token is not valid.'),
  token_expired: challenge(-31207, 'The access token has expired.'),
  token_not_yet_valid: challenge(-31208, 'The access token is not valid yet.'),
  audience_mismatch: challenge(-31209, 'The access token is meant for another resource.'),
  directory_tenant_refused: challenge(-31210, 'The directory of the access token is not accepted here.'),
  claims_invalid: challenge(-31211, 'The access token lacks claims that are required.'),
  // What a token is bound to, and the proof of it.
  token_binding_refused: challenge(-31221, 'An access token that is bound in this way is not accepted here.'),
  token_not_bound: challenge(-31222, 'The access token must be bound to a key of the client (DPoP).'),
  dpop_scheme_required: challenge(
    -31223,
    'The access token is bound to a key; send it under the scheme DPoP, with a proof.',
  ),
  dpop_proof_missing: challenge(-31233, 'The access token came without a DPoP proof.'),
  dpop_proof_malformed: challenge(-31224, 'The DPoP proof is malformed.'),
  dpop_algorithm_refused: challenge(-31225, 'The DPoP proof is signed in a way that is not accepted.'),
  dpop_key_mismatch: challenge(-31226, 'The DPoP proof is of another key than the access token.'),
  dpop_signature_invalid: challenge(-31227, 'The signature of the DPoP proof is not valid.'),
  dpop_wrong_request: challenge(-31228, 'The DPoP proof was made for another request.'),
  dpop_proof_untimely: challenge(-31229, 'The time of the DPoP proof is not now.'),
  dpop_wrong_token: challenge(-31230, 'The DPoP proof was made for another access token.'),
  dpop_proof_replayed: challenge(-31231, 'The DPoP proof was used before.'),
  dpop_replay_unknown: outage(-31232, 'Whether the DPoP proof was used before cannot be told at the moment.'),

  token_certificate_missing: challenge(
    -31234,
    'The access token is bound to a client certificate; connect with it.',
  ),
  token_certificate_mismatch: challenge(-31235, 'The access token is bound to another client certificate.'),

  // What was revoked (core/revocation.ts).
  token_revoked: challenge(-31237, 'The access token has been revoked; sign in anew.'),
  revocations_stale: outage(
    -31236,
    'Whether the access token has been revoked cannot be told at the moment.',
  ),

  // A client certificate in the place of a token.
  certificate_unknown: challenge(-31251, 'The authority of the client certificate is not accepted here.'),
  certificate_name_refused: challenge(-31252, 'The name in the client certificate is not accepted here.'),
  certificate_expired: challenge(-31253, 'The client certificate has expired.'),

  // What the issuer said of a token only it can read.
  token_inactive: challenge(-31241, 'The access token is not active.'),
  introspection_unavailable: outage(-31242, 'The issuer of the access token cannot be asked at the moment.'),
  introspection_answer_invalid: fault(-31243, 503, 'The answer of the token issuer could not be understood.'),
  introspection_credential_refused: fault(
    -31244,
    503,
    'The gateway could not authenticate to the token issuer.',
  ),

  keys_unavailable: outage(-31213, 'The keys of the token issuer cannot be fetched at the moment.'),
  groups_overage: refusal(-31214, 'The access token names too many groups to be judged.'),
  groups_unavailable: outage(-31216, 'The groups of the caller cannot be fetched at the moment.'),
  groups_lookup_refused: fault(-31217, 500, 'The groups of the caller may not be fetched by the gateway.'),
  directory_stale: outage(-31240, 'The gateway has had no news of your directory for too long.'),
  assurance_insufficient: challenge(-31218, 'This needs a stronger sign-in.'),
  scope_insufficient: {
    delivery: 'scope',
    httpStatus: 403,
    jsonRpcCode: -31215,
    sentence: 'The access token lacks a scope this needs.',
    remedy: 'authenticate',
  },

  // Policy. What exists and is not granted reads exactly like what does not exist.
  caller_not_granted: refusal(-31301, 'You have no access to this server.'),
  tool_not_granted: refusal(-31302, NOT_AVAILABLE),
  tool_unknown: refusal(-31302, NOT_AVAILABLE),
  target_not_granted: refusal(-31302, NOT_AVAILABLE),
  constraint_violated: refusal(
    -31303,
    'A rule of this server does not allow this call with these arguments.',
  ),
  websocket_needs_full_access: refusal(
    -31308,
    'A WebSocket to this server is open only to callers who may use all of it.',
  ),
  // The shape of arguments (core/response-guard.ts); the code is JSON-RPC's own.
  arguments_invalid: {
    ...refusal(-32602, 'The arguments do not fit the input schema of this tool.'),
    remedy: 'fix-request',
  },
  tool_drifted: {
    ...refusal(
      -31309,
      'The server has changed this tool since it was approved. It can be called again once it is as it was, or once the change is published as a new version and approved.',
    ),
    remedy: 'contact-operator',
  },
  request_state_unknown: {
    ...refusal(-31310, 'The state this call goes on from was not given to you here; begin anew.'),
    remedy: 'fix-request',
  },
  policy_failed: fault(-31304, 503, 'The call could not be judged.'),

  // Switches thrown by an operator. That it is a switch is told, so that nobody looks for a fault of their own; which
  // one, why and until when callers are blocked is not.
  caller_blocked: refusal(-31305, 'Your access has been switched off.'),
  application_blocked: refusal(-31306, 'The application you are using has been switched off here.'),
  tool_disabled: { ...refusal(-31307, 'This tool is switched off.'), remedy: 'retry-later' },

  // What a person has to say to a call (core/call-approval.ts).
  approval_pending: { ...refusal(-31321, 'A person has to approve this call first.'), remedy: 'retry-later' },
  approval_refused: refusal(-31322, 'A person has looked at this call and refused it.'),
  approval_backlog: {
    ...refusal(-31323, 'Too many of your calls wait for a person already.'),
    remedy: 'retry-later',
  },
  approval_too_large: {
    ...refusal(-31324, 'This call has to be approved by a person, and is too large to be read by one.'),
    remedy: 'fix-request',
  },
  approval_unavailable: outage(-31325, 'This call has to be approved by a person, who cannot be asked now.'),

  // The token for the upstream.
  consent_required: refusal(-31401, 'An administrator has to consent before this server can act for you.'),
  step_up_required: challenge(-31402, 'The identity provider asks for a stronger sign-in.'),
  access_blocked: refusal(-31403, 'The identity provider does not let you use this server.'),
  assertion_rejected: challenge(-31404, 'The identity provider did not accept the access token.'),
  session_revoked: challenge(-31405, 'The identity provider has ended your session.'),
  app_only_refused: refusal(-31406, 'This server can only be called on behalf of a user.'),
  exchange_misconfigured: fault(-31407, 500, 'This server is not set up to act for callers.'),
  exchange_credential_refused: fault(
    -31408,
    503,
    'The gateway could not authenticate to the identity provider.',
  ),
  provider_throttled: outage(-31409, 'The identity provider asks to wait.'),
  provider_unavailable: outage(-31410, 'The identity provider cannot be reached at the moment.'),
  upstream_token_unfit: fault(-31411, 502, 'The identity provider issued another token than was asked for.'),
  provider_busy: outage(-31416, 'Too many callers need the identity provider at the moment.'),

  // What came back.
  answer_refused: fault(-31501, 502, 'The answer of the server could not be checked.'),
  answer_too_large: fault(-31502, 502, 'The answer of the server is too large to be checked.'),
  output_invalid: fault(-31508, 502, 'The answer of the server does not fit what was approved of it.'),
  answer_blocked: fault(-31509, 502, 'The answer of the server holds what may not be passed on.'),
  stream_terminated: outage(-31503, 'This stream was ended by the operator.'),
  // Whether the call may have run is told apart, because a client that repeats such a call may do its work twice.
  upstream_unavailable: outage(-31504, 'The MCP server cannot be reached at the moment.'),
  upstream_overloaded: outage(-31505, 'The MCP server has as many calls as it may have at once.'),
  upstream_broke_off: fault(
    -31506,
    503,
    'The MCP server broke off before it answered; the call may have run.',
  ),
  upstream_timeout: fault(-31507, 504, 'The MCP server did not answer in time; the call may have run.'),

  // How much was asked.
  rate_limited: { ...outage(-31601, 'Too many calls at the moment.'), httpStatus: 429 },
  gateway_overloaded: outage(-31602, 'The gateway has more calls than it can take at the moment.'),

  // The gateway itself.
  audit_unavailable: fault(-31901, 503, 'The call could not be recorded.'),
  deadline_exceeded: outage(-31902, 'The call could not be judged in time.'),
  internal_error: fault(-31999, 500, 'The gateway failed to judge the call.'),
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof REASONS;

/** The row of a reason. */
export const describeReason = (reason: Reason): ReasonRow => REASONS[reason];
