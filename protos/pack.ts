// Strict packing of proto3 JSON into protobuf bytes. protobufjs by itself drops unknown fields and bad enums without
// a word, and a misspelt security field that is silently off is the worst outcome a control plane can have.

import protobuf from 'protobufjs';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import {
  durationFromJson,
  enumFromJson,
  listFromJson,
  refuse,
  scalarFromJson,
  structFromJson,
  valueFromJson,
} from '#protos/pack-scalar.ts';
import { findMessageType } from '#protos/root.ts';
import { type TypedMessage, typeNameOf } from '#protos/typed-struct.ts';

/** A packed `google.protobuf.Any`. */
export type PackedAny = { readonly type_url: string; readonly value: Buffer };

type FromJson = (value: Json, place: string) => unknown;

const wrapper =
  (scalar: string): FromJson =>
  (value, place) => ({ value: scalarFromJson(scalar, value, place) });

/** Types whose JSON form is not that of a message. */
const WELL_KNOWN: Readonly<Record<string, FromJson>> = {
  '.google.protobuf.Any': (value, place) => packAny(value, place),
  '.google.protobuf.Duration': durationFromJson,
  '.google.protobuf.Struct': structFromJson,
  '.google.protobuf.Value': valueFromJson,
  '.google.protobuf.ListValue': listFromJson,
  '.google.protobuf.BoolValue': wrapper('bool'),
  '.google.protobuf.StringValue': wrapper('string'),
  '.google.protobuf.BytesValue': wrapper('bytes'),
  '.google.protobuf.DoubleValue': wrapper('double'),
  '.google.protobuf.FloatValue': wrapper('float'),
  '.google.protobuf.Int32Value': wrapper('int32'),
  '.google.protobuf.UInt32Value': wrapper('uint32'),
  '.google.protobuf.Int64Value': wrapper('int64'),
  '.google.protobuf.UInt64Value': wrapper('uint64'),
};

const singleFromJson = (field: protobuf.Field, value: Json, place: string): unknown => {
  const type = field.resolvedType;
  if (type === null) return scalarFromJson(field.type, value, place);
  if (type instanceof protobuf.Enum) return enumFromJson(type, value, place);
  return WELL_KNOWN[type.fullName]?.(value, place) ?? messageFromJson(type, value, place);
};

const mapFromJson = (field: protobuf.Field, value: Json, place: string): unknown => {
  if (!isJsonObject(value)) return refuse(place, 'expected an object');
  const entries = Object.keys(value).toSorted();
  return Object.fromEntries(
    entries.map((key) => [key, singleFromJson(field, value[key] ?? null, `${place}["${key}"]`)]),
  );
};

const fieldFromJson = (field: protobuf.Field, value: Json, place: string): unknown => {
  if (field.map) return mapFromJson(field, value, place);
  if (!field.repeated) return singleFromJson(field, value, place);
  if (!Array.isArray(value)) return refuse(place, 'expected an array');
  return (value as readonly Json[]).map((item, index) => singleFromJson(field, item, `${place}[${index}]`));
};

const assertOneofs = (type: protobuf.Type, value: JsonObject, place: string): void => {
  for (const oneof of type.oneofsArray) {
    const set = oneof.fieldsArray.filter((field) => Object.hasOwn(value, field.name));
    if (set.length > 1) refuse(place, `${set.map((field) => field.name).join(' and ')} exclude each other`);
  }
};

const messageFromJson = (type: protobuf.Type, value: Json, place: string): Record<string, unknown> => {
  if (!isJsonObject(value)) return refuse(place, `expected an object of type ${type.name}`);
  assertOneofs(type, value, place);
  const message: Record<string, unknown> = {};
  for (const [name, fieldValue] of Object.entries(value)) {
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (field === undefined) return refuse(place, `${type.name} has no field ${name}`);
    message[name] = fieldFromJson(field, fieldValue, `${place}.${name}`);
  }
  return message;
};

const packAny = (value: Json, place: string): PackedAny => {
  if (!isJsonObject(value) || typeof value['@type'] !== 'string') return refuse(place, 'expected an "@type"');
  const name = typeNameOf(value['@type']) ?? refuse(place, 'the "@type" is not below type.googleapis.com');
  const type = findMessageType(name);
  const { '@type': type_url, ...fields } = value;
  return { type_url, value: encode(type, messageFromJson(type, fields, name)) };
};

const encode = (type: protobuf.Type, message: Record<string, unknown>): Buffer =>
  Buffer.from(type.encode(message as { [field: string]: unknown }).finish());

/**
 * Packs a message given as proto3 JSON with proto field names (snake_case) and its `@type`. Equal messages give
 * equal bytes: fields are written in order of their numbers, map keys sorted.
 * @throws GatewayError `codec_failed` that names the field: unknown field or type, wrong type, value that is no
 * member of its enum, two members of one oneof, a number that would be rounded.
 */
export const packMessage = (message: TypedMessage): PackedAny => packAny(message, 'message');
