// Adds, replaces and removes grants.

import type { Grant } from '#core/grant.ts';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { grantName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** Adds `grant` or puts it in the place of the one with its id. */
export const putGrant = (before: Tenant, grant: Grant): Outcome =>
  settle({
    before,
    after: { ...before, grants: withItem(before.grants, grant) },
    resource: grantName(grant.id),
  });

/** Removes a grant: what it gave is refused from the next call on. */
export const removeGrant = (before: Tenant, id: string): Outcome =>
  before.grants.some((grant) => grant.id === id)
    ? settle({
        before,
        after: { ...before, grants: withoutItem(before.grants, id) },
        resource: grantName(id),
      })
    : err(notFound(`grant ${id}`));
