// google.protobuf.Struct as proto-loader decodes it, to JSON. Every value names the member that is set in `kind`;
// one that names none, or another than it holds, is a fault.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

const listFrom = (value: unknown): readonly Json[] | undefined => {
  const values = isJsonObject(value) ? value['values'] : undefined;
  if (!Array.isArray(values)) return undefined;
  const items = values.map(valueFrom);
  return items.every((item) => item !== undefined) ? items : undefined;
};

const primitiveFrom = (kind: Json | undefined, value: JsonObject): Json | undefined => {
  if (kind === 'nullValue') return null;
  const type = { stringValue: 'string', numberValue: 'number', boolValue: 'boolean' }[String(kind)];
  const content = value[String(kind)];
  return typeof content === type ? content : undefined;
};

const valueFrom = (value: unknown): Json | undefined => {
  if (!isJsonObject(value)) return undefined;
  const { kind } = value;
  if (kind === 'structValue') return structToJson(value['structValue']);
  if (kind === 'listValue') return listFrom(value['listValue']);
  return primitiveFrom(kind, value);
};

/** The object a Struct stands for, or undefined if any part of it is not what the proto defines. */
export const structToJson = (struct: unknown): JsonObject | undefined => {
  const fields = isJsonObject(struct) ? struct['fields'] : undefined;
  if (!isJsonObject(fields)) return undefined;
  const members: [string, Json][] = [];
  for (const [key, value] of Object.entries(fields)) {
    const member = valueFrom(value);
    if (member === undefined) return undefined;
    members.push([key, member]);
  }
  return Object.fromEntries(members);
};
