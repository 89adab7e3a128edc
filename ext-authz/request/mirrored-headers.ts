// `Mcp-Method` and `Mcp-Name` repeat what the body says, so that things on the way need not parse it. Whoever believes
// them must not be lied to: a header that disagrees is refused in both eras, though only one of them requires it.

import { type Deny, deny } from '#core/decision.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { headerValue } from '#ext-authz/request/single-header.ts';

const METHOD_HEADER = 'mcp-method';
const NAME_HEADER = 'mcp-name';

// Case-sensitive, canonical base64 of UTF-8 (MCP 2026-07-28, Value Encoding).
const SENTINEL = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;
const SENTINEL_START = '=?base64?';
const SENTINEL_END = '?=';

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

// Beyond these one reader takes bytes for Latin-1 and the next for UTF-8, and they see two names.
const PLAIN = /^[\t\x20-\x7e]*$/;

/**
 * The value a mirrored header stands for; undefined if it is marked as encoded and is not validly so, or is not ASCII.
 * A plain value that looks like the mark is never taken literally: clients must encode it.
 */
const decodeHeaderValue = (value: string): string | undefined => {
  if (!PLAIN.test(value)) return undefined;
  if (!value.startsWith(SENTINEL_START) || !value.endsWith(SENTINEL_END)) return value;
  const encoded = SENTINEL.exec(value)?.[1];
  return encoded === undefined ? undefined : decodeUtf8(Buffer.from(encoded, 'base64'));
};

const mismatch = (field: string): Deny => deny('header_mismatch', { public: { field } });

const judgeOne = (
  header: { readonly name: string; readonly value: string | undefined },
  body: string | undefined,
  required: boolean,
): Deny | undefined => {
  if (header.value === undefined) return required && body !== undefined ? mismatch(header.name) : undefined;
  return header.value === body ? undefined : mismatch(header.name);
};

/**
 * header_mismatch if a mirrored header disagrees with the body, stands where the body has nothing to mirror, or is
 * missing where `required` (a stateless request).
 */
export const judgeMirroredHeaders = (
  headers: HttpRequest['headers'],
  body: { readonly method?: string; readonly name?: string; readonly required: boolean },
): Deny | undefined => {
  const method = { name: METHOD_HEADER, value: headerValue(headers, METHOD_HEADER) };
  const sent = headerValue(headers, NAME_HEADER);
  const decoded = sent === undefined ? undefined : decodeHeaderValue(sent);
  if (sent !== undefined && decoded === undefined) return mismatch(NAME_HEADER);
  return (
    judgeOne(method, body.method, body.required) ??
    judgeOne({ name: NAME_HEADER, value: decoded }, body.name, body.required)
  );
};
