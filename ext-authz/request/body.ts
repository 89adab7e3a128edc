// Whether the bytes at hand are the whole body and not too many. A body cut short is never judged: what policy would
// read is not what the server reads.

import { type Deny, deny } from '#core/decision.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { headerValue } from '#ext-authz/request/single-header.ts';

/** Added by Envoy's ext_authz filter; a client that sends it itself can only harm its own request. */
const PARTIAL_BODY_HEADER = 'x-envoy-auth-partial-body';

const isPartial = (headers: HttpRequest['headers']): boolean =>
  (headers.get(PARTIAL_BODY_HEADER) ?? []).some((value) => value.toLowerCase() !== 'false');

const declaredLength = (headers: HttpRequest['headers']): number | undefined => {
  const text = headerValue(headers, 'content-length');
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
};

/** body_too_large, body_incomplete, header_invalid (a Content-Length that is no number), or nothing. */
export const judgeBody = (request: HttpRequest, maxBodyBytes: number): Deny | undefined => {
  const declared = declaredLength(request.headers);
  if (Number.isNaN(declared)) return deny('header_invalid', { public: { field: 'content-length' } });
  const length = Math.max(request.body.length, declared ?? 0);
  if (length > maxBodyBytes)
    return deny('body_too_large', { log: { bytes: length, limitBytes: maxBodyBytes } });
  const isWhole = !isPartial(request.headers) && (declared === undefined || declared === request.body.length);
  return isWhole
    ? undefined
    : deny('body_incomplete', { log: { bytes: request.body.length, declaredBytes: declared ?? null } });
};

/** jsonrpc_invalid if a GET or DELETE carries a body: it would reach the server unread. */
export const judgeNoBody = (request: HttpRequest): Deny | undefined => {
  const declared = declaredLength(request.headers);
  const isEmpty = request.body.length === 0 && (declared === undefined || declared === 0);
  return isEmpty && !isPartial(request.headers)
    ? undefined
    : deny('jsonrpc_invalid', { public: { field: 'body' } });
};
