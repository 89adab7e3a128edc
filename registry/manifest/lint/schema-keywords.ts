// What the keywords of JSON Schema hold, as far as the lint must know to tell a schema from data and from a name.

/** Keywords whose value is data and no schema: a `pattern` inside is a word like any other. */
export const DATA_KEYWORDS: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples']);

/** Keywords whose value is a map: its keys are names, also where they read like keywords. */
export const MAP_KEYWORDS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);
