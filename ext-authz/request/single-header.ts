// Headers that may stand once. Two readers of a repeated header take different lines of it, so a repetition is refused
// before any value is looked at.

import { type Deny, deny } from '#core/decision.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';

const SINGLE = new Set(['content-type', 'content-length', 'content-encoding', 'last-event-id']);

/** Every header MCP defines, `Mcp-Param-*` included, mirrors one value of the body or names one session. */
const isSingle = (name: string): boolean => name.startsWith('mcp-') || SINGLE.has(name);

/** Optional whitespace around a field value (RFC 9110 §5.6.3): space and tab, nothing else. */
const trimOptionalWhitespace = (value: string): string => {
  const isBlank = (at: number): boolean => value[at] === ' ' || value[at] === '\t';
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return value.slice(start, end);
};

/** header_invalid naming the first header that stands twice and may not. */
export const refuseRepeatedHeaders = (headers: HttpRequest['headers']): Deny | undefined => {
  for (const [name, values] of headers) {
    if (isSingle(name) && values.length > 1) {
      const field = name.slice(0, 64);
      return deny('header_invalid', { public: { field }, log: { field, lines: values.length } });
    }
  }
  return undefined;
};

/** The value of a header, without the whitespace around it; undefined if absent. Call `refuseRepeatedHeaders` first. */
export const headerValue = (headers: HttpRequest['headers'], name: string): string | undefined => {
  const value = headers.get(name)?.[0];
  return value === undefined ? undefined : trimOptionalWhitespace(value);
};
