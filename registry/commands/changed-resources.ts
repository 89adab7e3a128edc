// Which resources differ between two states of a tenant. What both share are the same objects, so the cost is that of
// the change, whatever the size of the tenant.

import { isSameJson } from '#core/same-json.ts';
import type { Tenant } from '#core/tenant.ts';
import { type UnlikeResource, unlikeResources } from '#registry/feed/unlike-resources.ts';

export type ChangedResource = UnlikeResource;

/** Every resource that is not the same in both, in no particular order; `before` is undefined for a new tenant. */
export const changedResources = (before: Tenant | undefined, after: Tenant): readonly ChangedResource[] =>
  unlikeResources(before, after).filter((pair) => !isSameJson(pair.before, pair.after));
