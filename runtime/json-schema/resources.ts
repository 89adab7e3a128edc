// The parts of a schema that references can lead to (JSON Schema 2020-12 Core, §8.2 and §9.2): resources by `$id`, places
// by anchor and by JSON Pointer. A reference never leads out of the document: nothing is fetched.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

export type Resource = {
  readonly uri: string;
  readonly root: Json;
  readonly anchors: Map<string, JsonObject>;
  /** Those of the anchors that are dynamic. */
  readonly dynamic: Map<string, JsonObject>;
};

/** A schema and the resource its references start from. */
export type Place = { readonly schema: Json; readonly resource: Resource };

export type Resources = {
  readonly root: Resource;
  readonly all: readonly Resource[];
  /** The resource of a schema that stands where schemas stand. */
  homeOf(schema: JsonObject): Resource | undefined;
};

const ONE = [
  'items',
  'additionalItems',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
  'not',
  'if',
  'then',
  'else',
];
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'];

/** Of a schema without `$id`. */
const NO_URI = 'https://schema.invalid/';

const subschemas = (schema: JsonObject): readonly Json[] => {
  const found: Json[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (MANY.includes(keyword) && Array.isArray(value)) found.push(...(value as readonly Json[]));
    else if (ONE.includes(keyword)) found.push(value);
    else if (NAMED.includes(keyword) && isJsonObject(value)) found.push(...Object.values(value));
  }
  return found;
};

const parseUri = (reference: string, base: string): URL =>
  URL.parse(reference, base) ?? unusable('reference');

const newResource = (root: Json, uri: string): Resource => ({
  uri,
  root,
  anchors: new Map(),
  dynamic: new Map(),
});

const addAnchor = (resource: Resource, name: Json | undefined, schema: JsonObject): boolean => {
  if (name === undefined) return false;
  if (typeof name !== 'string' || resource.anchors.has(name)) return unusable('reference');
  resource.anchors.set(name, schema);
  return true;
};

class Survey implements Resources {
  readonly root: Resource;
  readonly #byUri = new Map<string, Resource>();
  readonly #homes = new Map<JsonObject, Resource>();

  constructor(root: JsonObject) {
    this.root = this.#enter(root, undefined);
  }

  get all(): readonly Resource[] {
    return [...this.#byUri.values()];
  }

  homeOf(schema: JsonObject): Resource | undefined {
    return this.#homes.get(schema);
  }

  find(uri: string): Resource | undefined {
    return this.#byUri.get(uri);
  }

  #enter(schema: JsonObject, outer: Resource | undefined): Resource {
    const resource = this.#resourceAt(schema, outer);
    this.#homes.set(schema, resource);
    addAnchor(resource, schema['$anchor'], schema);
    const dynamic = schema['$dynamicAnchor'];
    if (addAnchor(resource, dynamic, schema)) resource.dynamic.set(String(dynamic), schema);
    for (const inner of subschemas(schema)) if (isJsonObject(inner)) this.#enter(inner, resource);
    return resource;
  }

  #resourceAt(schema: JsonObject, outer: Resource | undefined): Resource {
    const id = schema['$id'];
    if (id === undefined) return outer ?? this.#add(newResource(schema, NO_URI));
    if (typeof id !== 'string') return unusable('keyword');
    // How drafts before 2019-09 wrote an anchor.
    if (id.startsWith('#') && id.length > 1 && outer !== undefined) {
      addAnchor(outer, id.slice(1), schema);
      return outer;
    }
    const uri = parseUri(id, outer?.uri ?? NO_URI);
    if (uri.hash !== '') return unusable('reference');
    uri.hash = '';
    return this.#add(newResource(schema, uri.href));
  }

  #add(resource: Resource): Resource {
    if (this.#byUri.has(resource.uri)) return unusable('reference');
    this.#byUri.set(resource.uri, resource);
    return resource;
  }
}

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;

const step = (value: Json | undefined, token: string): Json | undefined => {
  if (Array.isArray(value))
    return ARRAY_INDEX.test(token) ? (value as readonly Json[])[Number(token)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
};

const byPointer = (root: Json, pointer: string): Json | undefined => {
  let value: Json | undefined = root;
  for (const token of pointer.slice(1).split('/'))
    value = step(value, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  return value;
};

const decodeFragment = (hash: string): string => {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return unusable('reference');
  }
};

export type Target = Place & {
  /** The fragment, where it is the name of a dynamic anchor. */
  readonly dynamic: string | undefined;
};

const findIn = (resource: Resource, fragment: string): Json | undefined => {
  if (fragment === '') return resource.root;
  return fragment.startsWith('/') ? byPointer(resource.root, fragment) : resource.anchors.get(fragment);
};

/** What references lead to. Throws UnusableSchema where two places have one name. */
export const surveyResources = (
  root: JsonObject,
): Resources & {
  /** Throws UnusableSchema where it leads to nothing in the document. */
  resolve(reference: string, from: Resource): Target;
} => {
  const survey = new Survey(root);
  const resolve = (reference: string, from: Resource): Target => {
    const uri = parseUri(reference, from.uri);
    const fragment = decodeFragment(uri.hash);
    uri.hash = '';
    const resource = survey.find(uri.href) ?? unusable('reference');
    const schema = findIn(resource, fragment) ?? unusable('reference');
    const home = isJsonObject(schema) ? survey.homeOf(schema) : undefined;
    const dynamic = resource.dynamic.has(fragment) ? fragment : undefined;
    return { schema, resource: home ?? resource, dynamic };
  };
  return Object.assign(survey, { resolve });
};
