// An HTTP request as one McpCall that policy can judge, or the refusal that says what is wrong with it. Header faults
// go first, then the envelope, the revision, the method, its parameters, the mirrored headers.

import { type Deny, deny, type RefusedId } from '#core/decision.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { LAST_EVENT_ID_HEADER } from '#core/sealed-event-id.ts';
import { SESSION_ID_HEADER } from '#core/sealed-session.ts';
import { isVisibleAscii } from '#core/visible-ascii.ts';
import { judgeBody, judgeNoBody } from '#ext-authz/request/body.ts';
import { parseRevision, type Revision, revisionOfHeader } from '#ext-authz/request/era.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { type JsonRpcMessage, parseJsonRpc } from '#ext-authz/request/json-rpc.ts';
import { judgeAccept, judgeContentType } from '#ext-authz/request/media-types.ts';
import { findMethod, JUDGED_PARAMS, type MethodRow } from '#ext-authz/request/methods.ts';
import { judgeMirroredHeaders } from '#ext-authz/request/mirrored-headers.ts';
import { refuseCredentialInQuery } from '#ext-authz/request/query-credential.ts';
import { headerValue, refuseRepeatedHeaders } from '#ext-authz/request/single-header.ts';
import { asksForUpgrade, parseUpgrade } from '#ext-authz/request/upgrade.ts';

type Call = Exclude<JsonRpcMessage, { kind: 'response' }>;

/** The session a legacy message belongs to. A stateless one has none: a server that found one might still act on it. */
const parseSession = (
  headers: HttpRequest['headers'],
  { era }: Revision,
): Result<Pick<McpCall, 'sessionId'>, Deny> => {
  const sessionId = headerValue(headers, SESSION_ID_HEADER);
  if (sessionId === undefined) return ok({});
  // MCP 2025-11-25, Session Management. How long one may be is for whoever opens it to say.
  return era === 'legacy' && isVisibleAscii(sessionId)
    ? ok({ sessionId })
    : err(deny('header_invalid', { public: { field: SESSION_ID_HEADER } }));
};

const findRow = (message: Call, { era }: Revision): Result<MethodRow, Deny> => {
  const row = findMethod(message.method, era);
  if (row === undefined) {
    const reason = era === 'legacy' ? 'method_unknown_in_session' : 'method_unknown';
    return err(deny(reason, { log: { method: message.method, era } }));
  }
  return row.kind === message.kind ? ok(row) : err(deny('jsonrpc_invalid', { public: { field: 'id' } }));
};

const parseTargets = (row: MethodRow, params: JsonObject): Result<McpCall['targets'], Deny> => {
  const variant = findKeyVariant(params, JUDGED_PARAMS);
  const targets = variant === undefined ? row.targets(params) : err(`params.${variant}`);
  if (targets.ok) return targets;
  return err(deny('params_invalid', { public: { field: targets.error.slice(0, 128) } }));
};

const nameOf = (row: MethodRow, params: JsonObject): { name?: string } => {
  const name = row.mirrored === undefined ? undefined : params[row.mirrored];
  return typeof name === 'string' ? { name } : {};
};

const parseCall = (
  message: Call,
  revision: Revision,
  headers: HttpRequest['headers'],
): Result<McpCall, Deny> => {
  const { method, params } = message;
  const row = findRow(message, revision);
  if (!row.ok) return row;
  const targets = parseTargets(row.value, params);
  if (!targets.ok) return targets;
  const required = revision.era === 'stateless' && message.kind === 'request';
  const mismatch = judgeMirroredHeaders(headers, { method, ...nameOf(row.value, params), required });
  if (mismatch !== undefined) return err(mismatch);
  const given = params['arguments'];
  return ok({
    kind: message.kind,
    ...revision,
    method,
    ...(message.kind === 'request' ? { id: message.id } : {}),
    targets: targets.value,
    ...(row.value.list === undefined ? {} : { list: row.value.list }),
    arguments: method === 'tools/call' && isJsonObject(given) ? given : {},
    params,
  });
};

const parseMessage = (
  message: JsonRpcMessage,
  revision: Revision,
  headers: HttpRequest['headers'],
): Result<McpCall, Deny> => {
  if (message.kind !== 'response') return parseCall(message, revision, headers);
  const mismatch = judgeMirroredHeaders(headers, { required: false });
  if (mismatch !== undefined) return err(mismatch);
  return ok({ kind: 'response', ...revision, id: message.id, targets: [], arguments: {}, params: {} });
};

const withSession = (
  call: Result<McpCall, Deny>,
  headers: HttpRequest['headers'],
  revision: Revision,
): Result<McpCall, Deny> => {
  if (!call.ok) return call;
  const session = parseSession(headers, revision);
  return session.ok ? ok({ ...call.value, ...session.value }) : session;
};

const parsePost = (request: HttpRequest, maxBodyBytes: number): ParsedCall => {
  const { headers } = request;
  const bodyFault = judgeBody(request, maxBodyBytes);
  if (bodyFault !== undefined) return { id: null, result: err(bodyFault) };
  // Parsed before its headers are judged, because an answer without the id is lost on the client that waits for it.
  const { id, result: message } = parseJsonRpc(request.body);
  const headerFault = judgeContentType(headers) ?? judgeAccept(headers, 'POST');
  if (headerFault !== undefined) return { id, result: err(headerFault) };
  if (!message.ok) return { id, result: message };
  const revision = parseRevision(message.value, headers);
  if (!revision.ok) return { id, result: revision };
  const call = parseMessage(message.value, revision.value, headers);
  return { id, result: withSession(call, headers, revision.value) };
};

/** The body-less messages of the legacy era: GET opens a stream, DELETE ends a session. */
const parseBodyless = (request: HttpRequest, kind: 'stream' | 'session-end'): Result<McpCall, Deny> => {
  const { headers } = request;
  const revision = revisionOfHeader(headers);
  if (!revision.ok) return revision;
  if (revision.value.era === 'stateless') return err(deny('http_method_not_allowed'));
  const fault =
    judgeNoBody(request) ??
    (kind === 'stream' ? judgeAccept(headers, 'GET') : undefined) ??
    judgeMirroredHeaders(headers, { required: false });
  if (fault !== undefined) return err(fault);
  const lastEventId = kind === 'stream' ? headerValue(headers, LAST_EVENT_ID_HEADER) : undefined;
  const call: McpCall = {
    kind,
    ...revision.value,
    targets: [],
    arguments: {},
    params: {},
    ...(lastEventId === undefined ? {} : { resumes: true, lastEventId }),
  };
  return withSession(ok(call), headers, revision.value);
};

const parseByMethod = (request: HttpRequest, maxBodyBytes: number): ParsedCall => {
  // First: of a POST that asks for an upgrade Envoy shows no body.
  if (asksForUpgrade(request)) return { id: null, result: parseUpgrade(request) };
  if (request.method === 'POST') return parsePost(request, maxBodyBytes);
  if (request.method === 'GET') return { id: null, result: parseBodyless(request, 'stream') };
  if (request.method === 'DELETE') return { id: null, result: parseBodyless(request, 'session-end') };
  return { id: null, result: err(deny('http_method_not_allowed')) };
};

/** `id`: what a refusal answers, as far as it could be read; null otherwise. */
export type ParsedCall = { readonly id: RefusedId; readonly result: Result<McpCall, Deny> };

/** @param limits.maxBodyBytes the longest body this server takes. */
export const parseMcpCall = (request: HttpRequest, limits: { readonly maxBodyBytes: number }): ParsedCall => {
  const fault = refuseRepeatedHeaders(request.headers) ?? refuseCredentialInQuery(request.query);
  const parsed = parseByMethod(request, limits.maxBodyBytes);
  return fault === undefined ? parsed : { id: parsed.id, result: err(fault) };
};
