// Which names differ between two publications of one kind, told by how the later one was made of the earlier one. Whoever
// has seen the earlier looks at these names and at no others: one change costs one change, for each of many streams.
// Only told where it is certain: of maps that were not made here nothing is known, and they are compared name by name.

import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';

/** Stands for a map without keeping it alive. */
type Token = object;

type Step = { readonly from: Token; readonly names: ReadonlySet<string> };

/** Steps that are remembered: as many publications as a stream may be behind before it has to compare all. */
const MAX_STEPS = 32;

type Origin = { readonly token: Token /** The latest last. */; readonly steps: readonly Step[] };

const origins = new WeakMap<Resources, Origin>();

const originOf = (resources: Resources): Origin => {
  const known = origins.get(resources);
  if (known !== undefined) return known;
  const origin = { token: {}, steps: [] };
  origins.set(resources, origin);
  return origin;
};

/**
 * The resources after a change of some.
 * @param changes by name; undefined: it is gone. Empty: the same value is returned.
 */
export const changeResources = (
  before: Resources,
  changes: ReadonlyMap<string, Resource | undefined>,
): Resources => {
  if (changes.size === 0) return before;
  const after = new Map(before);
  for (const [name, resource] of changes) {
    if (resource === undefined) after.delete(name);
    else after.set(name, resource);
  }
  const { token, steps } = originOf(before);
  const step = { from: token, names: new Set(changes.keys()) };
  origins.set(after, { token: {}, steps: [...steps, step].slice(-MAX_STEPS) });
  return after;
};

const NOTHING: ReadonlySet<string> = new Set();

/** Names outside of which both are the same; undefined where that is not known. */
export const changedNames = (before: Resources, after: Resources): ReadonlySet<string> | undefined => {
  if (before === after) return NOTHING;
  const from = origins.get(before)?.token;
  const steps = origins.get(after)?.steps ?? [];
  const first = steps.findIndex((step) => step.from === from);
  if (from === undefined || first < 0) return undefined;
  const [only, ...others] = steps.slice(first);
  return others.length === 0 ? only?.names : new Set(steps.slice(first).flatMap(({ names }) => [...names]));
};
