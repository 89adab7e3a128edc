// Bounds of the JSON Schemas in a manifest. They are compiled and run on what clients and servers send, so a schema
// must be small, complete in itself, and free of patterns that never end.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { type Finding, pointerTo } from '#registry/manifest/lint/finding.ts';
import { findPatternRisk } from '#registry/manifest/lint/pattern-risk.ts';
import {
  createReferenceLookup,
  type FindReferenced,
  REFERENCE_KEYWORDS,
} from '#registry/manifest/lint/schema-edges.ts';
import { DATA_KEYWORDS, MAP_KEYWORDS } from '#registry/manifest/lint/schema-keywords.ts';
import { findReferenceFault } from '#registry/manifest/lint/schema-references.ts';

export const MAX_SCHEMA_DEPTH = 32;
export const MAX_SCHEMA_BYTES = 64 * 1024;

/** All patterns of a manifest are tried out; this many take a moment. */
export const MAX_PATTERNS = 500;

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
  if (DATA_KEYWORDS.has(key)) return;
  if (!MAP_KEYWORDS.has(key) || !isJsonObject(value)) {
    yield* keywordsOf(value, pointer);
    return;
  }
  for (const [name, schema] of Object.entries(value)) yield* keywordsOf(schema, pointerTo(pointer, name));
}

/** Dialects are named by their address; one that is nobody's would have to be fetched to know what it means. */
const isKnownDialect = (dialect: string): boolean =>
  /^https?:\/\/json-schema\.org\/[\w./-]+#?$/.test(dialect);

const judgeReference = (reference: string, find: FindReferenced): [string, string] | undefined => {
  if (!reference.startsWith('#'))
    return ['schema-remote-reference', 'refers to something outside this schema'];
  return find(reference) === undefined
    ? ['schema-reference-unknown', 'refers to what is not in this schema']
    : undefined;
};

const lintReference =
  (find: FindReferenced) =>
  ({ key, value, pointer }: Place): Finding[] => {
    if (typeof value !== 'string') return [];
    if (key === '$id')
      return [error('schema-remote-reference', pointer, 'gives the schema another base than this manifest')];
    if (key === '$schema' && !isKnownDialect(value))
      return [error('schema-remote-reference', pointer, 'names a dialect that is none of json-schema.org')];
    const fault = REFERENCE_KEYWORDS.has(key) ? judgeReference(value, find) : undefined;
    return fault === undefined ? [] : [error(fault[0], pointer, fault[1])];
  };

const REFERENCE_FAULTS = {
  endless: 'refers to itself without going into the value: checking would never end',
  explosive: 'refers to so much that checking a value takes for ever',
} as const;

const lintReferences = (schema: JsonObject, pointer: string): Finding[] => {
  const fault = findReferenceFault(schema);
  return fault === undefined ? [] : [error(`schema-reference-${fault}`, pointer, REFERENCE_FAULTS[fault])];
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
    ...[...keywordsOf(schema, pointer)].flatMap(lintReference(createReferenceLookup(schema))),
    ...lintReferences(schema, pointer),
  ];
};

/** MCP: the arguments of a tool are an object. */
export const lintInputType = (schema: JsonObject, pointer: string): Finding[] =>
  schema['type'] === 'object'
    ? []
    : [error('schema-not-object', pointer, 'the type of an input schema is "object"')];
