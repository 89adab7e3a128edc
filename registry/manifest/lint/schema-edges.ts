// From a JSON Schema to the schemas it leads to: those inside it, and those its references name. Judges nothing.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { DATA_KEYWORDS, MAP_KEYWORDS } from '#registry/manifest/lint/schema-keywords.ts';

export const REFERENCE_KEYWORDS: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);

/** Keywords whose schemas judge the very same value again. */
const IN_PLACE: ReadonlySet<string> = new Set([
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'dependencies',
]);
/** Schemas here judge nothing until a reference names them. */
const DEFINITIONS: ReadonlySet<string> = new Set(['$defs', 'definitions']);

const stepInto = (value: Json | undefined, key: string): Json | undefined => {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};

const decode = (fragment: string): string | undefined => {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
};

/** RFC 6901 §4. */
const findByPointer = (root: Json, pointer: string): Json | undefined =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<Json | undefined>(stepInto, root);

/** Their number is bounded by the size of the schema, their depth by the parser. */
function* objectsIn(value: Json): Generator<JsonObject> {
  if (isJsonObject(value)) yield value;
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value)) yield* objectsIn(member as Json);
}

const anchorsIn = (root: JsonObject): ReadonlyMap<string, JsonObject> => {
  const anchors = new Map<string, JsonObject>();
  for (const schema of objectsIn(root)) {
    for (const name of [schema['$anchor'], schema['$dynamicAnchor']])
      if (typeof name === 'string') anchors.set(name, schema);
  }
  return anchors;
};

/** What a reference leads to; undefined where there is no schema. */
export type FindReferenced = (reference: string) => JsonObject | boolean | undefined;

/** References inside `root` (JSON Schema 2020-12 §8.2.3): `#`, `#/a/pointer`, `#anchor`. */
export const createReferenceLookup = (root: JsonObject): FindReferenced => {
  const anchors = anchorsIn(root);
  return (reference) => {
    const fragment = reference.startsWith('#') ? decode(reference.slice(1)) : undefined;
    if (fragment === undefined) return undefined;
    const found =
      fragment === '' || fragment.startsWith('/') ? findByPointer(root, fragment) : anchors.get(fragment);
    return isJsonObject(found) || typeof found === 'boolean' ? found : undefined;
  };
};

export type Edge = {
  readonly schema: JsonObject;
  /** The schema judges the same value, not a part of it. */
  readonly isInPlace: boolean;
};

const schemasUnder = (key: string, value: Json): readonly Json[] => {
  if (DATA_KEYWORDS.has(key) || DEFINITIONS.has(key)) return [];
  if (Array.isArray(value)) return value as readonly Json[];
  return MAP_KEYWORDS.has(key) && isJsonObject(value) ? Object.values(value) : [value];
};

/** The schemas that a schema calls upon. A `true` or `false` calls upon none, and is left out. */
export const edgesOf = (schema: JsonObject, find: FindReferenced): readonly Edge[] =>
  Object.entries(schema).flatMap(([key, value]): readonly Edge[] => {
    const isReference = REFERENCE_KEYWORDS.has(key) && typeof value === 'string';
    const inner = isReference ? [find(value) ?? true] : schemasUnder(key, value);
    const isInPlace = isReference || IN_PLACE.has(key);
    return inner.flatMap((found) => (isJsonObject(found) ? [{ schema: found, isInPlace }] : []));
  });
