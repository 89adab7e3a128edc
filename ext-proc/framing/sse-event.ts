// One server-sent event as fields (WHATWG HTML §9.2.6), read and written. What is written is our own plain form:
// a reader more lenient than the standard must not find a field where we saw none.

import { err, ok, type Result } from '#core/result.ts';

export type SseEvent = {
  /** Comment lines without their colon: keep-alives. */
  readonly comments: readonly string[];
  /** Absent means `message`. */
  readonly event?: string;
  /** An empty id is an id: it resets the one before. */
  readonly id?: string;
  /** Milliseconds, as digits. */
  readonly retry?: string;
  /** Data lines joined by a line feed; absent where there was none. */
  readonly data?: string;
};

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Control characters, and what else ends a line in Unicode: readers built on a general line splitter (httpx-sse before
 * 0.4.2) end one there, and find a field behind it.
 */
const LINE_BREAKER = /[\p{Cc}\u2028\u2029]/gu;

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

type Draft = {
  comments: string[];
  data: string[];
  event?: string;
  id?: string;
  retry?: string;
};

const applyField = (draft: Draft, name: string, value: string): void => {
  if (name === 'data') draft.data.push(value);
  else if (name === 'event') draft.event = value.replaceAll(LINE_BREAKER, ' ');
  else if (name === 'id' && value.search(LINE_BREAKER) === -1) draft.id = value;
  else if (name === 'retry' && /^\d+$/.test(value)) draft.retry = value;
};

const applyLine = (draft: Draft, line: string): void => {
  const colon = line.indexOf(':');
  if (colon === 0) {
    draft.comments.push(line.slice(1).replaceAll(LINE_BREAKER, ' '));
    return;
  }
  const name = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + 1);
  applyField(draft, name, value.startsWith(' ') ? value.slice(1) : value);
};

/**
 * Reads one whole event as `createEventSplitter` yields it. Unknown fields are dropped, and ids that some
 * reader takes for two lines; a type that is taken so stays one line, and no other type. In data, which is JSON, such a character can only stand in a string, where no quote can
 * follow it unescaped.
 * @param options.first true for the first piece of a stream, where a byte-order mark is skipped.
 * @returns the event, or an error if the bytes are not UTF-8: browsers would repair them, parsers differ.
 */
export const parseSseEvent = (
  bytes: Uint8Array,
  options: { readonly first: boolean },
): Result<SseEvent, 'body_not_utf8'> => {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined) return err('body_not_utf8');
  const text = options.first && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  const draft: Draft = { comments: [], data: [] };
  for (const line of text.split(/\r\n|\r|\n/)) if (line !== '') applyLine(draft, line);
  const { data, ...fields } = draft;
  return ok(data.length === 0 ? fields : { ...fields, data: data.join('\n') });
};

/** The event in plain form: comments, event, id, retry, data, blank line. Empty for an event that holds nothing. */
export const formatSseEvent = (event: SseEvent): string => {
  const lines = event.comments.map((comment) => `:${comment}`);
  if (event.event !== undefined) lines.push(`event: ${event.event}`);
  if (event.id !== undefined) lines.push(`id: ${event.id}`);
  if (event.retry !== undefined) lines.push(`retry: ${event.retry}`);
  if (event.data !== undefined) lines.push(...event.data.split('\n').map((line) => `data: ${line}`));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
};
