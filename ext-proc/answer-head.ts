// Status and headers of an answer, as far as the guard needs them. Reads nothing twice: a header that comes twice with
// different values has no value here.

import { SESSION_ID_HEADER } from '#core/sealed-session.ts';
import { type BodyCoding, bodyCodingOf } from '#ext-proc/encoding/content-coding.ts';

/** Header names in lower case, with every value that was sent. */
export type AnswerHeaders = ReadonlyMap<string, readonly string[]>;

export type MediaKind = 'json' | 'sse' | 'none' | 'other';

export type AnswerHead = {
  readonly status: number;
  readonly media: MediaKind;
  /** How the body is compressed. */
  readonly coding: BodyCoding;
  /** Every session id that was sent. */
  readonly sessionIds: readonly string[];
  /** True if no body follows. */
  readonly endOfStream: boolean;
};

const MEDIA_KINDS: Readonly<Record<string, MediaKind>> = {
  'application/json': 'json',
  'text/event-stream': 'sse',
};

const UTF_8 = /^utf-?8$/i;

// A body in another charset is another text to a client that believes the header.
const charsetIsUtf8 = (parameters: readonly string[]): boolean =>
  parameters.every((parameter) => {
    const [name, value = ''] = parameter.split('=', 2);
    return name?.trim().toLowerCase() !== 'charset' || UTF_8.test(value.trim().replace(/^"(.*)"$/, '$1'));
  });

const mediaKind = (values: readonly string[]): MediaKind => {
  const [value, ...more] = values;
  if (value === undefined) return 'none';
  if (more.length > 0 || value.includes(',')) return 'other';
  const [type = '', ...parameters] = value.split(';');
  const name = type.trim().toLowerCase();
  if (!Object.hasOwn(MEDIA_KINDS, name) || !charsetIsUtf8(parameters)) return 'other';
  return MEDIA_KINDS[name] as MediaKind;
};

/**
 * The head of an answer.
 * @returns undefined where there is not exactly one status of three digits.
 */
export const readAnswerHead = (headers: AnswerHeaders, endOfStream: boolean): AnswerHead | undefined => {
  const [status = '', ...more] = headers.get(':status') ?? [];
  if (more.length > 0 || !/^[1-5]\d\d$/.test(status)) return undefined;
  return {
    status: Number(status),
    media: mediaKind(headers.get('content-type') ?? []),
    coding: bodyCodingOf(headers.get('content-encoding') ?? []),
    sessionIds: headers.get(SESSION_ID_HEADER) ?? [],
    endOfStream,
  };
};
