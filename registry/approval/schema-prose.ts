// Where in a JSON Schema a text is prose and constrains nothing. Only keywords whose meaning is known are entered:
// a `description` inside a default, or inside a keyword nobody knows, is data.

/** Keywords whose value is a schema, or a list of them. */
const SCHEMAS: ReadonlySet<string> = new Set([
  'items',
  'prefixItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'allOf',
  'anyOf',
  'oneOf',
]);

/** Keywords whose value is a map of schemas: its keys are names, also where they read like keywords. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

const PROSE: ReadonlySet<string> = new Set(['title', 'description']);

const isIndex = (token: string): boolean => /^\d+$/.test(token);

/** Whether the tokens of a JSON Pointer lead from the root of a schema to one of its texts. */
export const isSchemaProse = (tokens: readonly string[]): boolean => {
  const [token, ...rest] = tokens;
  if (token === undefined) return false;
  if (rest.length === 0) return PROSE.has(token);
  if (MAPS.has(token)) return isSchemaProse(rest.slice(1));
  if (!SCHEMAS.has(token)) return false;
  return isSchemaProse(isIndex(rest[0] ?? '') ? rest.slice(1) : rest);
};
