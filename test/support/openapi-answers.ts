// Holds answers of the registry's API against its OpenAPI document: status, headers, media type and every member of the
// body. Stricter than JSON Schema asks: a member that the document does not name is a fault of the document.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type JsonSchema = { readonly [keyword: string]: unknown };

type DocumentedAnswer = {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
};

type Operation = { readonly responses: Readonly<Record<string, DocumentedAnswer>> };

export type OpenApiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

export type ReceivedAnswer = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** Headers an API speaks by; those of HTTP itself and of every answer are nobody's to document. */
const SPEAKING = ['etag', 'location', 'link', 'x-jws-signature', 'idempotency-replayed'];

/** Refusals may carry these without being documented one by one. */
const PROBLEM = 'application/problem+json';

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema with every object closed that names its properties. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      ['enum', 'const', 'default', 'examples'].includes(key) ? value : closed(value),
    ]),
  );
  const isOpen = isObject(schema['properties']) && schema['additionalProperties'] === undefined;
  return isOpen && schema['type'] === 'object' ? { ...inner, additionalProperties: false } : inner;
};

const templateMatcher = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/** A template without parameters at a place goes before one with. */
const byLiteralness = (a: string, b: string): number => a.split('{').length - b.split('{').length;

const headerFaults = (documented: DocumentedAnswer, { headers, text }: ReceivedAnswer): string[] => {
  const names = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase());
  const undocumented = SPEAKING.filter((name) => headers.has(name) && !names.includes(name));
  const isDryRun = text.startsWith('{"dryRun":true');
  const isMissing = names.includes('etag') && !headers.has('etag') && !isDryRun;
  return [
    ...undocumented.map((name) => `header ${name} is not documented`),
    ...(isMissing ? ['header etag is documented and missing'] : []),
  ];
};

/** @returns a check of answers: what is wrong with one, in words; nothing for paths and methods that are not documented. */
export const createAnswerCheck = (document: OpenApiDocument): ((answer: ReceivedAnswer) => string[]) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const compiled = new Map<object, ValidateFunction>();
  const templates = Object.keys(document.paths)
    .toSorted(byLiteralness)
    .map((template) => ({ template, pattern: templateMatcher(template) }));

  const compile = (schema: JsonSchema): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(closed(schema) as JsonSchema);
    compiled.set(schema, known);
    return known;
  };
  const bodyFaults = ({ content = {} }: DocumentedAnswer, { headers, text }: ReceivedAnswer): string[] => {
    const mediaType = headers.get('content-type')?.split(';')[0];
    if (mediaType === undefined || text === '')
      return Object.keys(content).length === 0 ? [] : ['a body is documented, there is none'];
    const schema = content[mediaType]?.schema;
    if (schema === undefined) return [`media type ${mediaType} is not documented`];
    const check = compile(schema);
    if (check(JSON.parse(text))) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };

  return (answer) => {
    const path = templates.find(({ pattern }) => pattern.test(answer.path))?.template ?? '';
    const operation = document.paths[path]?.[answer.method.toLowerCase()];
    if (operation === undefined) return [];
    const mediaType = answer.headers.get('content-type')?.split(';')[0];
    const documented =
      operation.responses[String(answer.status)] ??
      (mediaType === PROBLEM && answer.status >= 400 ? operation.responses['default'] : undefined);
    if (documented === undefined) return [`status ${answer.status} (${mediaType}) is not documented`];
    return [...headerFaults(documented, answer), ...bodyFaults(documented, answer)];
  };
};
