// Our replies as ProcessingResponses of Envoy (envoy.service.ext_proc.v3), one builder per reply. Header values go into
// `raw_value`: Envoy reads nothing else there.

import { SEALED_SESSION_HEADER } from '#core/internal-headers.ts';
import type { BodyStep } from '#ext-proc/body-guard.ts';
import type { Course } from '#ext-proc/pipeline.ts';
import type { HeaderMutation } from '#ext-proc/transforms/change-headers.ts';

/** A ProcessingResponse as proto-loader encodes it. */
export type ProcessingResponse = Readonly<Record<string, unknown>>;

// Headers that describe the body as the server sent it: lengths, validators, digests, ranges.
const BODY_HEADERS = [
  'content-length',
  'etag',
  'last-modified',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
  'content-range',
];

// A list is one caller's: no cache on the way may keep it, and nothing may compress a stream of events into blocks.
const LIST_HEADERS = { 'cache-control': 'private, no-store, no-transform' };

const setHeaders = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([key, value]) => ({
    header: { key, raw_value: Buffer.from(value) },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));

/** All values of a header of the server's are replaced; Envoy makes removals before it sets anything. */
const mutationOf = (headers: HeaderMutation) => ({
  set_headers: [...headers].flatMap(([key, values]) =>
    values.map((value, at) => ({
      header: { key, raw_value: Buffer.from(value, 'latin1') },
      append_action: at === 0 ? 'OVERWRITE_IF_EXISTS_OR_ADD' : 'APPEND_IF_EXISTS_OR_ADD',
    })),
  ),
  remove_headers: [...headers].filter(([, values]) => values.length === 0).map(([name]) => name),
});

const modeOverride = (body: 'NONE' | 'STREAMED' | 'BUFFERED_PARTIAL', trailers: 'SEND' | 'SKIP') => ({
  request_header_mode: 'SKIP',
  response_header_mode: 'SEND',
  request_body_mode: 'NONE',
  response_body_mode: body,
  request_trailer_mode: 'SKIP',
  response_trailer_mode: trailers,
});

const immediateResponse = (status: number, body: string): ProcessingResponse => ({
  immediate_response: {
    status: { code: status },
    headers: {
      set_headers: setHeaders({ 'content-type': 'application/json', 'cache-control': 'no-store' }),
      remove_headers: [],
    },
    body: Buffer.from(body),
    details: 'mcpgw_answer_refused',
  },
});

// Buffered, the head waits for the body, so that headers can still be set. In full (`BUFFERED`) Envoy leaves the client
// waiting where the body is longer than its buffer; in part it sends us what it has, and we refuse.

const bodyMode = (course: Exclude<Course, { kind: 'refuse' }>) => {
  if (course.kind === 'pass') return 'NONE';
  return course.headers === undefined ? 'STREAMED' : 'BUFFERED_PARTIAL';
};

/**
 * The reply to the head of an answer. That of a refusal is also one to its body, as long as the head waits.
 * @param changed headers that rules of the server change.
 */
export const headReply = (course: Course, changed: HeaderMutation): ProcessingResponse => {
  if (course.kind === 'refuse') return immediateResponse(course.status, course.body);
  const session = course.session === undefined ? {} : { [SEALED_SESSION_HEADER]: course.session };
  const rewrites = course.kind === 'guard' && course.rewrites;
  const { set_headers: set, remove_headers: remove } = mutationOf(changed);
  const stale = rewrites ? [...BODY_HEADERS, ...(course.decodes ? ['content-encoding'] : [])] : [];
  const mutation = {
    set_headers: [...set, ...setHeaders({ ...session, ...(rewrites ? LIST_HEADERS : {}) })],
    remove_headers: [...remove, ...stale],
  };
  return {
    response_headers: { response: { header_mutation: mutation } },
    // Trailers are asked for because an answer that ends in them has no last chunk to put a held body into.
    mode_override: modeOverride(bodyMode(course), rewrites ? 'SEND' : 'SKIP'),
  };
};

/**
 * The reply to one chunk.
 * @param headers to be set with it, where the whole body was waited for.
 */
export const chunkReply = (step: BodyStep, headers?: HeaderMutation): ProcessingResponse => {
  const head = headers === undefined ? {} : { header_mutation: mutationOf(headers) };
  if (step.kind === 'forward') return { response_body: { response: head } };
  const mutation = step.bytes.length === 0 ? { clear_body: true } : { body: step.bytes };
  return { response_body: { response: { ...head, body_mutation: mutation } } };
};

/** The reply to the whole body of a request: another one in its place. */
export const bodyReply = (body: Uint8Array): ProcessingResponse => ({
  request_body: { response: { body_mutation: { body } } },
});

/** The reply to trailers: they go on. */
export const trailersReply = (): ProcessingResponse => ({ response_trailers: {} });
