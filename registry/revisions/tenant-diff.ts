// The difference of two states of a tenant, resource by resource, for a person who decides whether to undo it.

import type { Json } from '#core/json.ts';
import { diffJson, type JsonChange } from '#core/json-diff.ts';
import type { Tenant } from '#core/tenant.ts';
import { type ResourceName, resourcesOf } from '#registry/commands/resources.ts';

export type ResourceDiff = {
  readonly resource: ResourceName;
  readonly change: JsonChange['change'];
  /** Pointers lead into the resource; a resource that came or went is one change at its root. */
  readonly changes: readonly JsonChange[];
};

const diffResource = (resource: ResourceName, before: object | undefined, after: object | undefined) => {
  if (before === undefined)
    return { resource, change: 'added', changes: [{ change: 'added', pointer: '', after: after as Json }] };
  if (after === undefined)
    return {
      resource,
      change: 'removed',
      changes: [{ change: 'removed', pointer: '', before: before as Json }],
    };
  return { resource, change: 'changed', changes: diffJson(before as Json, after as Json) };
};

const resourcesIn = (tenant: Tenant | null): ReadonlyMap<ResourceName, object> =>
  tenant === null ? new Map() : resourcesOf(tenant);

/** Every resource that differs, sorted by name; null is a tenant that is not there. */
export const diffTenants = (before: Tenant | null, after: Tenant | null): readonly ResourceDiff[] => {
  const [old, current] = [resourcesIn(before), resourcesIn(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .toSorted()
    .map((name) => diffResource(name, old.get(name), current.get(name)) as ResourceDiff)
    .filter(({ changes }) => changes.length > 0);
};
