// The one door into service. Whatever change makes a tenant serve a version, an activation, a restore or one that is
// yet to be invented, passes here with the state before and after it.

import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { loadReviews } from '#registry/api/approvals/load-reviews.ts';
import { approversOf, reviewPath } from '#registry/api/approvals/review-schema.ts';
import type { Problem } from '#registry/api/problem.ts';
import type { Review } from '#registry/approval/review.ts';
import { judgeServing, type Manner, newlyServed } from '#registry/approval/serve.ts';
import { versionName } from '#registry/commands/resources.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { MarkedDecisions, Store } from '#registry/store/store.ts';

export type Passage = {
  readonly before: Tenant | undefined;
  readonly after: Tenant;
  readonly record: ChangeRecord;
  readonly manner: Manner;
};

const STANDING: Readonly<Partial<Record<Review['state'], string>>> = {
  waiting: 'waits for approval',
  rejected: 'was rejected',
};

const sentence = (tenantId: string, { serverId, version, state }: Review): string =>
  `${STANDING[state] ?? 'is not approved'}: ${reviewPath(tenantId, serverId, version)}`;

/** A version was named to be served: the answer says who can let it. */
const refuseNamed = (
  tenantId: string,
  [first, ...others]: readonly [Review, ...Review[]],
  pointer: string,
): Problem => ({
  status: 409,
  code: 'approval-required',
  detail: 'The version differs from what was approved. Read its review; somebody who may has to approve it.',
  errors: [first, ...others].map((review) => ({
    pointer,
    message: `${review.version} ${sentence(tenantId, review)}`,
  })),
  // No digest: whoever approves has to have read what it is of.
  details: {
    state: first.state,
    review: reviewPath(tenantId, first.serverId, first.version),
    approvers: approversOf(tenantId, first),
  },
});

/** What stands against serving these versions, each named. */
export const servingConflicts = (tenantId: string, refused: readonly Review[]) =>
  refused.map((review) => ({
    pointer: '',
    message: `${versionName(review.serverId, review.version)}: ${sentence(tenantId, review)}`,
  }));

const refuse = (tenantId: string, refused: readonly Review[], manner: Manner): Problem => {
  const [first, ...others] = refused;
  if (manner !== 'brought-back' && first !== undefined)
    return refuseNamed(tenantId, [first, ...others], manner === 'activated' ? '/version' : '');
  return {
    status: 409,
    code: 'conflict',
    detail: 'The change would serve what is not approved.',
    errors: servingConflicts(tenantId, refused),
  };
};

/** The decisions to commit with the change; undefined: it serves nothing new. */
export const judgePassage = async (
  store: Store,
  { before, after, record, manner }: Passage,
): Promise<Result<MarkedDecisions | undefined, Problem>> => {
  const served = newlyServed(before, after);
  if (served.length === 0) return ok(undefined);
  const { mark, reviews } = await loadReviews(store, after, served);
  const judged = reviews.map((review) => ({ review, made: judgeServing(review, record, manner) }));
  const refused = judged.filter(({ made }) => made === undefined).map(({ review }) => review);
  return refused.length > 0
    ? err(refuse(after.id, refused, manner))
    : ok({ mark, made: judged.flatMap(({ made }) => made ?? []) });
};
