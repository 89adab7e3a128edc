// JSON as google.protobuf.Struct in the plain-object form proto-loader encodes. Member names are those of protobufjs's
// own struct.proto, which is why they are camelCase beside snake_case messages.

import type { Json, JsonObject } from '#core/json.ts';

export type StructValue =
  | { readonly nullValue: 'NULL_VALUE' }
  | { readonly numberValue: number }
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly structValue: Struct }
  | { readonly listValue: { readonly values: readonly StructValue[] } };

export type Struct = { readonly fields: Readonly<Record<string, StructValue>> };

const valueFromJson = (value: Json): StructValue => {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value))
    return { listValue: { values: (value as readonly Json[]).map((item) => valueFromJson(item)) } };
  return { structValue: structFromJson(value as JsonObject) };
};

/** @param object nests no deeper than our own metadata does; the conversion recurses. */
export const structFromJson = (object: JsonObject): Struct => ({
  fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, valueFromJson(value)])),
});
