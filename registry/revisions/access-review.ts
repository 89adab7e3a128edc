// What a person must have seen before access is widened: the list, and a digest that says which list was seen.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { Json } from '#core/json.ts';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { type AccessChange, accessChange } from '#registry/revisions/access-change.ts';
import { type LoosenedLimit, loosenedLimits } from '#registry/revisions/loosened-limits.ts';

export type AccessReview = AccessChange & {
  readonly loosened: readonly LoosenedLimit[];
  /** Of what is gained and loosened; absent where nothing is. */
  readonly digest?: string;
};

/** Who gains and who loses what when `before` becomes `after`. */
export const reviewAccess = (before: Tenant, after: Tenant): AccessReview => {
  const { gained, lost } = accessChange(before, after);
  const loosened = loosenedLimits(before, after);
  if (gained.length + loosened.length === 0) return { gained, lost, loosened };
  const text = canonicalJson(['mcpgw-added-access-1', before.id, gained, loosened]);
  return { gained, lost, loosened, digest: createHash('sha256').update(text).digest('hex') };
};

/** Lets a change pass that adds no access, or whose added access is exactly what was confirmed. */
export const requireConfirmed = (
  before: Tenant,
  outcome: Outcome,
  confirmed: string | undefined,
): Outcome => {
  if (!outcome.ok) return outcome;
  const access = reviewAccess(before, outcome.value.tenant);
  if (access.digest === undefined || access.digest === confirmed) return outcome;
  const message =
    confirmed === undefined
      ? 'this adds access: read what, and send its digest'
      : 'this adds other access than what was confirmed: read what, and send its digest';
  return err({
    kind: 'unconfirmed',
    faults: [{ pointer: '/confirmAddedAccess', message }],
    details: { access: access as unknown as Json },
  });
};
