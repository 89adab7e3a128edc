// What the API does with a schema beside checking: the form a request may take (fields with a default may be left
// out) and the filling in of those defaults. Works on plain JSON Schema, as TypeBox makes it.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

export type JsonSchema = JsonObject;

const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  isJsonObject(schema['properties']) ? (schema['properties'] as Record<string, JsonSchema>) : {};

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

/** The schema with every field that has a default made optional, at every depth. */
export const inputForm = (schema: JsonSchema): JsonSchema => {
  if (isJsonObject(schema['items'])) return { ...schema, items: inputForm(schema['items']) };
  if (!isJsonObject(schema['properties'])) return schema;
  const properties = propertiesOf(schema);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return {
    ...schema,
    properties: mapValues(properties, inputForm),
    required: required.filter((name) => properties[String(name)]?.['default'] === undefined),
  };
};

const fillObject = (schema: JsonSchema, value: JsonObject): JsonObject => {
  const properties = propertiesOf(schema);
  const filled = Object.entries(properties).flatMap(([name, property]): [string, Json][] => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) return [[name, fillDefaults(property, given)]];
    return property['default'] === undefined ? [] : [[name, property['default']]];
  });
  return Object.fromEntries([...Object.entries(value), ...filled]);
};

/** The value with every field that is absent and has a default filled in. */
export const fillDefaults = (schema: JsonSchema, value: Json): Json => {
  if (Array.isArray(value) && isJsonObject(schema['items'])) {
    const { items } = schema;
    return value.map((item: Json) => fillDefaults(items as JsonSchema, item));
  }
  return isJsonObject(value) && isJsonObject(schema['properties']) ? fillObject(schema, value) : value;
};
