// Check messages by proto-loader, the codec that knows all of Envoy's protos: what ours is held against, and how tests
// make and read messages.

import type { MethodDefinition } from '@grpc/grpc-js';
import type { Json, JsonObject } from '#core/json.ts';
import type { CheckRequestFields } from '#ext-authz/request/check-request-fields.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response-message.ts';
import { loadService } from '#protos/service.ts';

const Check = loadService('envoy.service.auth.v3.Authorization')['Check'] as MethodDefinition<object, object>;

/** A CheckRequest given by its proto field names. */
export const checkRequestBytes: (message: object) => Buffer = Check.requestSerialize;

/** A CheckResponse by proto field names, enums by name, absent messages null. */
export const checkResponseFrom: (bytes: Buffer) => object = Check.responseDeserialize;

/** A CheckRequest read and written again, every scalar with it; undefined: proto-loader refuses it. */
export const rewritten = (bytes: Buffer): Buffer | undefined => {
  try {
    return Check.requestSerialize(Check.requestDeserialize(bytes));
  } catch {
    return undefined;
  }
};

type HeaderLine = { key: string; value: string; raw_value: Buffer };
type ReferenceRequest = {
  attributes: {
    source: { address: { socket_address?: { address: string } } | null; certificate: string } | null;
    request: {
      http: {
        id: string;
        method: string;
        host: string;
        path: string;
        header_map: { headers: HeaderLine[] } | null;
        body: string;
        raw_body: Buffer;
      } | null;
    } | null;
    context_extensions: Record<string, string>;
  } | null;
};

const headersOf = (lines: readonly HeaderLine[] = []): Map<string, string[]> => {
  const headers = new Map<string, string[]>();
  for (const { key, value, raw_value } of lines) {
    const text = raw_value.length > 0 ? raw_value.toString('latin1') : value;
    headers.set(key.toLowerCase(), [...(headers.get(key.toLowerCase()) ?? []), text]);
  }
  return headers;
};

/** What our codec must read in a message, by proto-loader. */
export const referenceFields = (bytes: Buffer): CheckRequestFields => {
  const { attributes } = Check.requestDeserialize(bytes) as ReferenceRequest;
  const http = attributes?.request?.http;
  return {
    id: http?.id ?? '',
    method: http?.method ?? '',
    host: http?.host ?? '',
    path: http?.path ?? '',
    headers: headersOf(http?.header_map?.headers),
    body: Buffer.from(http?.body ?? ''),
    rawBody: Buffer.from(http?.raw_body ?? ''),
    clientAddress: attributes?.source?.address?.socket_address?.address ?? '',
    certificate: attributes?.source?.certificate ?? '',
    context: new Map(Object.entries(attributes?.context_extensions ?? {})),
  };
};

const structValue = (value: Json): object => {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: (value as readonly Json[]).map(structValue) } };
  return { structValue: struct(value as JsonObject) };
};

// Members are those of protobufjs's own struct.proto, which is why they are camelCase beside snake_case messages.
const struct = (object: JsonObject): object => ({
  fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, structValue(value as Json)])),
});

/** A CheckResponse of ours as proto-loader encodes it. */
export const referenceResponseBytes = (message: CheckResponseMessage): Buffer =>
  Check.responseSerialize({ ...message, dynamic_metadata: struct(message.dynamic_metadata) });

type WireValue = Record<string, unknown> & { kind: string };

/** A Struct as proto-loader reads it. */
export type WireStruct = { fields: Record<string, WireValue> };

const jsonFromValue = (value: WireValue): unknown => {
  const held = value[value.kind];
  if (value.kind === 'listValue') return (held as { values: WireValue[] }).values.map(jsonFromValue);
  if (value.kind === 'structValue') return jsonFromStruct(held as WireStruct);
  return value.kind === 'nullValue' ? null : held;
};

export const jsonFromStruct = ({ fields }: WireStruct): object =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonFromValue(value)]));
