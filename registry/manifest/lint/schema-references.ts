// References that lead round in circles, or to so much that checking one value never ends. Whoever validates by the
// schema later follows them without asking.

import type { JsonObject } from '#core/json.ts';
import { createReferenceLookup, type Edge, edgesOf } from '#registry/manifest/lint/schema-edges.ts';

/** Schemas that a value and its parts are checked by, each reference counted as what it stands for. */
const MAX_EXPANSION = 50_000;
/** Schemas inside one another, references followed: what the stack of a validator has to hold. */
const MAX_NESTING = 500;

type Graph = ReadonlyMap<JsonObject, readonly Edge[]>;

/** Every schema that is called upon from the root, with those it calls upon. */
const graphOf = (root: JsonObject): Graph => {
  const find = createReferenceLookup(root);
  const graph = new Map<JsonObject, readonly Edge[]>();
  const waiting = [root];
  for (let schema = waiting.pop(); schema !== undefined; schema = waiting.pop()) {
    if (graph.has(schema)) continue;
    const edges = edgesOf(schema, find);
    graph.set(schema, edges);
    for (const edge of edges) waiting.push(edge.schema);
  }
  return graph;
};

/** Whether some value would be judged by one schema again and again: taking away what nobody calls leaves a rest. */
const hasCircleInPlace = (graph: Graph): boolean => {
  const callers = new Map<JsonObject, number>([...graph.keys()].map((schema) => [schema, 0]));
  const inPlace = (schema: JsonObject): readonly Edge[] =>
    (graph.get(schema) ?? []).filter((edge) => edge.isInPlace);
  for (const schema of graph.keys()) {
    for (const edge of inPlace(schema)) callers.set(edge.schema, (callers.get(edge.schema) ?? 0) + 1);
  }
  const free = [...graph.keys()].filter((schema) => callers.get(schema) === 0);
  let taken = 0;
  for (let schema = free.pop(); schema !== undefined; schema = free.pop()) {
    taken += 1;
    for (const edge of inPlace(schema)) {
      const left = (callers.get(edge.schema) ?? 0) - 1;
      callers.set(edge.schema, left);
      if (left === 0) free.push(edge.schema);
    }
  }
  return taken < graph.size;
};

/** Whether following every reference comes to more than the bounds. One that leads back to where it came from is not followed. */
const isExplosive = (graph: Graph, root: JsonObject): boolean => {
  const sizes = new Map<JsonObject, number>();
  const open = new Set<JsonObject>();
  const sizeOf = (schema: JsonObject): number => {
    if (open.has(schema)) return 1;
    const known = sizes.get(schema);
    if (known !== undefined) return known;
    if (open.size >= MAX_NESTING) return Number.POSITIVE_INFINITY;
    open.add(schema);
    let size = 1;
    for (const edge of graph.get(schema) ?? []) size += sizeOf(edge.schema);
    open.delete(schema);
    sizes.set(schema, size);
    return size;
  };
  return sizeOf(root) > MAX_EXPANSION;
};

export type ReferenceFault = 'endless' | 'explosive';

/** What is wrong with following the references of a schema from its root; linear in its size. */
export const findReferenceFault = (root: JsonObject): ReferenceFault | undefined => {
  const graph = graphOf(root);
  if (hasCircleInPlace(graph)) return 'endless';
  return isExplosive(graph, root) ? 'explosive' : undefined;
};
