// What of a message is binary content: bytes, in which no text is looked for. Whether a text is base64 (RFC 4648 §4) is
// found by looking for what does not belong there: a pattern that takes the whole in groups of four runs out of stack at
// some megabytes.

import type { Json, JsonObject } from '#core/json.ts';

const NOT_BASE64 = /[^A-Za-z0-9+/]/;

const paddingOf = (text: string): number => {
  if (text.endsWith('==')) return 2;
  return text.endsWith('=') ? 1 : 0;
};

/** True for the alphabet alone, padded to whole groups; the empty text is one too. */
export const isBase64 = (text: string): boolean =>
  text.length % 4 === 0 && !NOT_BASE64.test(text.slice(0, text.length - paddingOf(text)));

/** True for a member of content or of a resource that holds bytes: an image, audio, a blob (MCP, content types). */
export const isBinary = (name: string, member: Json, { type }: JsonObject): boolean =>
  (name === 'blob' || (name === 'data' && (type === 'image' || type === 'audio'))) &&
  typeof member === 'string' &&
  isBase64(member);
