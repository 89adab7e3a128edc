// Bounds of the JSON Schemas in a manifest. They are compiled and run on what clients and servers send, so a schema
// must be small, complete in itself, and free of patterns that never end.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { type Finding, pointerTo } from '#registry/manifest/lint/finding.ts';
import { findPatternRisk } from '#registry/manifest/lint/pattern-risk.ts';

export const MAX_SCHEMA_DEPTH = 32;
export const MAX_SCHEMA_BYTES = 64 * 1024;

/** All patterns of a manifest are tried out; this many take a moment. */
export const MAX_PATTERNS = 500;

/** Keywords whose value is data and no schema: a `pattern` inside is a word like any other. */
const DATA: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples']);
/** Keywords whose value is a map: its keys are names, also where they read like keywords. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);
const REFERENCES: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);

const depthOf = (value: Json): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const inner: number[] = Object.values(value).map((member) => depthOf(member as Json));
  return 1 + inner.reduce((most, depth) => Math.max(most, depth), 0);
};

const error = (code: string, pointer: string, message: string): Finding => ({
  severity: 'error',
  code,
  pointer,
  message,
});

type Place = { readonly key: string; readonly value: Json; readonly pointer: string };

/** Every keyword of a schema and of the schemas inside it. */
function* keywordsOf(schema: Json, pointer: string): Generator<Place> {
  if (Array.isArray(schema)) {
    for (const [index, item] of schema.entries()) yield* keywordsOf(item as Json, pointerTo(pointer, index));
  } else if (isJsonObject(schema)) {
    for (const [key, value] of Object.entries(schema)) {
      const place = { key, value, pointer: pointerTo(pointer, key) };
      yield place;
      yield* keywordsInside(place);
    }
  }
}

function* keywordsInside({ key, value, pointer }: Place): Generator<Place> {
  if (DATA.has(key)) return;
  if (!MAPS.has(key) || !isJsonObject(value)) {
    yield* keywordsOf(value, pointer);
    return;
  }
  for (const [name, schema] of Object.entries(value)) yield* keywordsOf(schema, pointerTo(pointer, name));
}

const lintReference = ({ key, value, pointer }: Place): Finding[] => {
  if (typeof value !== 'string') return [];
  if (REFERENCES.has(key) && !value.startsWith('#'))
    return [error('schema-remote-reference', pointer, 'refers to something outside this schema')];
  return key === '$id'
    ? [error('schema-remote-reference', pointer, 'gives the schema another base than this manifest')]
    : [];
};

type PlacedPattern = { readonly pattern: string; readonly pointer: string };

const patternsAt = ({ key, value, pointer }: Place): PlacedPattern[] => {
  if (key === 'pattern' && typeof value === 'string') return [{ pattern: value, pointer }];
  if (key !== 'patternProperties' || !isJsonObject(value)) return [];
  return Object.keys(value).map((pattern) => ({ pattern, pointer: pointerTo(pointer, pattern) }));
};

export type PlacedSchema = { readonly schema: JsonObject; readonly pointer: string };

/** The patterns of all schemas of a manifest. */
export const lintPatterns = (schemas: readonly PlacedSchema[]): Finding[] => {
  const patterns = schemas.flatMap(({ schema, pointer }) =>
    [...keywordsOf(schema, pointer)].flatMap(patternsAt),
  );
  if (patterns.length > MAX_PATTERNS)
    return [
      error(
        'schema-too-many-patterns',
        '/tools',
        `hold ${patterns.length} patterns, ${MAX_PATTERNS} at most`,
      ),
    ];
  return patterns.flatMap(({ pattern, pointer }) => {
    const risk = findPatternRisk(pattern);
    return risk === undefined ? [] : [error('schema-pattern-risky', pointer, `the pattern ${risk}`)];
  });
};

/** The bounds of one schema of a tool. */
export const lintSchema = ({ schema, pointer }: PlacedSchema): Finding[] => {
  const depth = depthOf(schema);
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  return [
    ...(depth > MAX_SCHEMA_DEPTH
      ? [error('schema-too-deep', pointer, `is nested ${depth} deep, ${MAX_SCHEMA_DEPTH} at most`)]
      : []),
    ...(bytes > MAX_SCHEMA_BYTES
      ? [error('schema-too-large', pointer, `has ${bytes} bytes, ${MAX_SCHEMA_BYTES} at most`)]
      : []),
    ...[...keywordsOf(schema, pointer)].flatMap(lintReference),
  ];
};

/** MCP: the arguments of a tool are an object. */
export const lintInputType = (schema: JsonObject, pointer: string): Finding[] =>
  schema['type'] === 'object'
    ? []
    : [error('schema-not-object', pointer, 'the type of an input schema is "object"')];
