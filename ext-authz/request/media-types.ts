// What the body is declared to be and what answers the client takes: Content-Type and Accept (RFC 9110 §8.3, §12.5.1).

import { type Deny, deny } from '#core/decision.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { headerValue } from '#ext-authz/request/single-header.ts';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';

// Any other charset would let the server decode other text than we judged.
const JSON_CONTENT_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;

const ZERO_WEIGHT = /^q=0(?:\.0{0,3})?$/i;

/** media_type_unsupported unless the body is declared JSON in UTF-8, body_encoding_unsupported if it is compressed. */
export const judgeContentType = (headers: HttpRequest['headers']): Deny | undefined => {
  const encoding = headerValue(headers, 'content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return deny('body_encoding_unsupported', { public: { field: 'content-encoding' } });
  const type = headerValue(headers, 'content-type');
  return type !== undefined && JSON_CONTENT_TYPE.test(type)
    ? undefined
    : deny('media_type_unsupported', { public: { field: 'content-type' } });
};

const acceptedRanges = (headers: HttpRequest['headers']): Set<string> => {
  const ranges = (headers.get('accept') ?? []).flatMap((line) => line.split(','));
  const accepted = new Set<string>();
  for (const range of ranges) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!parameters.some((parameter) => ZERO_WEIGHT.test(parameter))) accepted.add(type);
  }
  return accepted;
};

/**
 * accept_unsupported unless the client takes what MCP answers with: JSON and an event stream to a POST, an event
 * stream to a GET (MCP 2025-06-18 and 2026-07-28, Streamable HTTP). A wildcard for everything counts as both.
 */
export const judgeAccept = (
  headers: HttpRequest['headers'],
  httpMethod: 'POST' | 'GET',
): Deny | undefined => {
  const accepted = acceptedRanges(headers);
  const needed = httpMethod === 'POST' ? [JSON_TYPE, STREAM_TYPE] : [STREAM_TYPE];
  return accepted.has('*/*') || needed.every((type) => accepted.has(type))
    ? undefined
    : deny('accept_unsupported', { public: { field: 'accept' } });
};
