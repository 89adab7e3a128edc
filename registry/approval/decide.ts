// Whether a person may decide about a version, and what the decision is. Four eyes: whoever published it, or brought
// the key it is signed with into the tenant, has two of them already.

import { err, ok, type Result } from '#core/result.ts';
import { isSamePerson } from '#core/same-person.ts';
import { type Definition, definitionDigest } from '#registry/approval/definition.ts';
import type { Decision, Verdict } from '#registry/approval/records.ts';
import type { Review, ReviewSummary } from '#registry/approval/review.ts';

export type Decider = {
  /** Principal of the caller. */
  readonly actor: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
};

export type DecisionRefusal =
  | 'approval-digest-mismatch'
  | 'approver-is-author'
  | 'author-unknown'
  | 'version-in-service';

/** A decision and, if it approves, the definition that becomes the pins. */
export type MadeDecision = { readonly decision: Decision; readonly pinned?: Definition };

/** Everybody who may not approve while four eyes are asked for. */
export const ownersOf = ({ submissions, keyRegistrations }: ReviewSummary): readonly string[] => [
  ...new Set([...submissions, ...keyRegistrations].map(({ actor }) => actor)),
];

export const makeDecision = (review: Review, verdict: Verdict, decider: Decider): MadeDecision => {
  const { serverId, version, digest, definition } = review;
  const { actor, reason, at } = decider;
  const known = { serverId, version, verdict, definition: definitionDigest(definition), digest };
  return {
    decision: { ...known, actor, reason, at },
    ...(verdict === 'approved' ? { pinned: definition } : {}),
  };
};

/** The same decision about the same review: a request that was sent twice. */
const isRepeated = ({ decision }: Review, verdict: Verdict, digest: string): boolean =>
  decision?.verdict === verdict && decision.digest === digest;

const judgeApprover = (review: Review, actor: string): DecisionRefusal | undefined => {
  if (!review.fourEyes) return undefined;
  if (review.submissions.length === 0) return 'author-unknown';
  return ownersOf(review).some((owner) => isSamePerson(owner, actor)) ? 'approver-is-author' : undefined;
};

export type Asked = {
  readonly verdict: 'approved' | 'rejected';
  /** Of the review that was seen. */
  readonly digest: string;
  /** The version is being served now. */
  readonly isServed: boolean;
};

/** The decision to keep; undefined in it: it was made already, and nothing is to be kept. */
export const decide = (
  review: Review,
  { verdict, digest, isServed }: Asked,
  decider: Decider,
): Result<MadeDecision | undefined, DecisionRefusal> => {
  if (isRepeated(review, verdict, digest)) return ok(undefined);
  if (digest !== review.digest) return err('approval-digest-mismatch');
  // To reject what is served would look like an end of its service, and be none: that is what switches are for.
  if (verdict === 'rejected' && isServed) return err('version-in-service');
  const fault = verdict === 'approved' ? judgeApprover(review, decider.actor) : undefined;
  return fault === undefined ? ok(makeDecision(review, verdict, decider)) : err(fault);
};
