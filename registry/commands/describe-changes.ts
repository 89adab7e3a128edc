// The difference of two states of a tenant in words, for revisions and their readers. Names fields, never values:
// a revision is read more widely than what it is about.

import { isSameJson } from '#core/same-json.ts';
import type { Tenant } from '#core/tenant.ts';
import { changedResources } from '#registry/commands/changed-resources.ts';

const changedFields = (before: object, after: object): string[] => {
  const old = new Map(Object.entries(before));
  const current = new Map(Object.entries(after));
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((field) => !isSameJson(old.get(field), current.get(field)))
    .toSorted();
};

const describe = (name: string, before: object | undefined, after: object | undefined): string[] => {
  if (before === undefined) return [`${name}: created`];
  if (after === undefined) return [`${name}: removed`];
  const fields = changedFields(before, after);
  return fields.length === 0 ? [] : [`${name}: changed ${fields.join(', ')}`];
};

/** One line for each resource that differs, sorted by name; `before` is undefined for a new tenant. */
export const describeChanges = (before: Tenant | undefined, after: Tenant): readonly string[] =>
  changedResources(before, after)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, before: old, after: current }) => describe(name, old, current));
