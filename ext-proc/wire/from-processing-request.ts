// A ProcessingRequest of Envoy in our words (envoy.service.ext_proc.v3). The only file that reads its shape; whatever
// is not exactly one part of a response is undefined, and the stream fails on it.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { type AnswerHead, type AnswerHeaders, readAnswerHead } from '#ext-proc/answer-head.ts';
import { structToJson } from '#ext-proc/wire/struct-to-json.ts';

/** Namespace ext-authz's metadata travels in. */
const ORDERS_NAMESPACE = 'envoy.filters.http.ext_authz';

/** Where Envoy puts attributes, and the one it is asked for (xds-server/filters/ext-proc.ts). */
const ATTRIBUTES_NAMESPACE = 'envoy.filters.http.ext_proc';
const REPLICA_ATTRIBUTE = 'upstream.address';

export type AnswerPart =
  | {
      readonly kind: 'head';
      readonly head: AnswerHead;
      /** All of its headers. */
      readonly headers: AnswerHeaders;
      /** Undefined where ext-authz left none. */
      readonly orders: JsonObject | undefined;
      /** `address:port` of the replica that answered; undefined where Envoy answered by itself. */
      readonly replica: string | undefined;
    }
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: 'trailers' };

const record = (value: unknown): Readonly<Record<string, unknown>> => (isJsonObject(value) ? value : {});

const headersFrom = (list: unknown): Map<string, string[]> => {
  const headers = new Map<string, string[]>();
  for (const entry of Array.isArray(list) ? list : []) {
    const { key, value, raw_value: raw } = record(entry);
    // Envoy writes raw_value; the older field is read for filters that are set up to send that.
    const text = raw instanceof Uint8Array && raw.length > 0 ? Buffer.from(raw).toString('latin1') : value;
    const name = String(key).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), String(text ?? '')]);
  }
  return headers;
};

/** What ext-authz has written. */
const ordersFrom = (message: Readonly<Record<string, unknown>>): JsonObject | undefined => {
  const metadata = record(record(message['metadata_context'])['filter_metadata']);
  return structToJson(metadata[ORDERS_NAMESPACE]);
};

const headFrom = (message: Readonly<Record<string, unknown>>): AnswerPart | undefined => {
  const { headers, end_of_stream: endOfStream } = record(message['response_headers']);
  const sent = headersFrom(record(headers)['headers']);
  const head = readAnswerHead(sent, endOfStream === true);
  if (head === undefined) return undefined;
  const attributes = structToJson(record(message['attributes'])[ATTRIBUTES_NAMESPACE]) ?? {};
  const replica = attributes[REPLICA_ATTRIBUTE];
  return {
    kind: 'head',
    head,
    headers: sent,
    orders: ordersFrom(message),
    replica: typeof replica === 'string' && replica !== '' ? replica : undefined,
  };
};

const chunkFrom = (message: Readonly<Record<string, unknown>>): AnswerPart | undefined => {
  const { body, end_of_stream: endOfStream } = record(message['response_body']);
  if (!(body instanceof Uint8Array)) return undefined;
  return { kind: 'chunk', bytes: body, endOfStream: endOfStream === true };
};

/** A whole request, for the filter that opens a `requestState` in it. */
export type RequestPart = { readonly body: Uint8Array; readonly orders: JsonObject | undefined };

/** True for what is said about a request; false for what is said about an answer. */
export const isOfRequest = (message: unknown): boolean =>
  String(record(message)['request']).startsWith('request_');

/** @returns undefined for anything but the whole body of a request. */
export const requestPartFrom = (message: unknown): RequestPart | undefined => {
  const fields = record(message);
  const { body, end_of_stream: endOfStream } = record(fields['request_body']);
  if (fields['request'] !== 'request_body' || !(body instanceof Uint8Array)) return undefined;
  return endOfStream === true ? { body, orders: ordersFrom(fields) } : undefined;
};

/**
 * The part of an answer that a decoded ProcessingRequest carries.
 * @returns undefined for parts of requests, for messages that want no reply (`observability_mode`) and for shapes that
 * are not known: Envoy is then not set up as we need it.
 */
export const answerPartFrom = (message: unknown): AnswerPart | undefined => {
  const fields = record(message);
  if (fields['observability_mode'] === true) return undefined;
  if (fields['request'] === 'response_headers') return headFrom(fields);
  if (fields['request'] === 'response_body') return chunkFrom(fields);
  return fields['request'] === 'response_trailers' ? { kind: 'trailers' } : undefined;
};
