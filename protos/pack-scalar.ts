// One proto3-JSON value of a scalar, enum or well-known type, checked and turned into what protobufjs encodes.
// Knows nothing of messages and their fields.

import type protobuf from 'protobufjs';
import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

/** Fails with the place of the fault; values are not repeated, they may be keys or tokens. */
export const refuse = (place: string, fault: string): never => {
  throw new GatewayError('codec_failed', `${place}: ${fault}`);
};

const INTEGER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  sfixed32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  fixed32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sint64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sfixed64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  fixed64: [0, Number.MAX_SAFE_INTEGER],
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const bytesFromJson = (value: Json, place: string): Buffer =>
  typeof value === 'string' && BASE64.test(value)
    ? Buffer.from(value, 'base64')
    : refuse(place, 'expected base64');

const numberFromJson = (type: string, value: Json, place: string): number => {
  const number = typeof value === 'number' ? value : refuse(place, 'expected a number');
  if (type === 'double' || type === 'float') return number;
  const [minimum, maximum] = INTEGER_RANGES[type] ?? refuse(place, `unknown scalar type ${type}`);
  return Number.isInteger(number) && number >= minimum && number <= maximum
    ? number
    : refuse(place, `expected a whole number of type ${type}`);
};

/** A value of a scalar field of proto type `type`; integers beyond 2^53 are refused rather than rounded. */
export const scalarFromJson = (type: string, value: Json, place: string): unknown => {
  if (type === 'bytes') return bytesFromJson(value, place);
  if (type === 'string') return typeof value === 'string' ? value : refuse(place, 'expected a string');
  if (type === 'bool') return typeof value === 'boolean' ? value : refuse(place, 'expected true or false');
  return numberFromJson(type, value, place);
};

/** An enum value by its name; numbers are refused, because nobody can read them. */
export const enumFromJson = (type: protobuf.Enum, value: Json, place: string): number =>
  (typeof value === 'string' && Object.hasOwn(type.values, value) ? type.values[value] : undefined) ??
  refuse(place, `not a value of ${type.name}`);

const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

/** `"1.5s"` as `google.protobuf.Duration`. */
export const durationFromJson = (value: Json, place: string): { seconds: number; nanos: number } => {
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (match === null) return refuse(place, 'expected a duration such as "1.5s"');
  const sign = match[1] === '-' ? -1 : 1;
  return { seconds: sign * Number(match[2]), nanos: sign * Number((match[3] ?? '').padEnd(9, '0')) };
};

/** Plain JSON as `google.protobuf.Struct`; keys are sorted, so that equal objects have equal bytes. */
export const structFromJson = (value: Json, place: string): { fields: Record<string, unknown> } => {
  if (!isJsonObject(value)) return refuse(place, 'expected an object');
  const keys = Object.keys(value).toSorted();
  return {
    fields: Object.fromEntries(
      keys.map((key) => [key, valueFromJson((value as JsonObject)[key] ?? null, place)]),
    ),
  };
};

/** Plain JSON as `google.protobuf.Value`. */
export const valueFromJson = (value: Json, place: string): Record<string, unknown> => {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Array.isArray(value)
    ? { listValue: listFromJson(value, place) }
    : { structValue: structFromJson(value, place) };
};

/** A JSON array as `google.protobuf.ListValue`. */
export const listFromJson = (value: Json, place: string): { values: unknown[] } =>
  Array.isArray(value)
    ? { values: (value as readonly Json[]).map((item) => valueFromJson(item, place)) }
    : refuse(place, 'expected an array');
