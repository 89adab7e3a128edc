// ETags and what clients say about them (RFC 9110 §13): nobody overwrites what they have not seen.

import type { Problem } from '#registry/api/problem.ts';

/** The ETag of a resource that last changed in `revision`. */
export const entityTag = (revision: number): string => `"${revision}"`;

type Conditions = { readonly ifMatch: string | undefined; readonly ifNoneMatch: string | undefined };

const tagsOf = (header: string): readonly string[] => header.split(',').map((tag) => tag.trim());

/** Strong comparison (§8.8.3.2): a weak tag matches nothing. */
const matches = (header: string, revision: number): boolean =>
  tagsOf(header).some((tag) => tag === '*' || tag === entityTag(revision));

const failed = (detail: string): Problem => ({ status: 412, code: 'precondition-failed', detail });

const REQUIRED: Problem = {
  status: 428,
  code: 'precondition-required',
  detail: 'Send If-Match with the ETag of what you have read.',
};

const judgeExisting = ({ ifMatch, ifNoneMatch }: Conditions, revision: number): Problem | undefined => {
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, revision))
    return failed('The resource exists already.');
  if (ifMatch === undefined) return REQUIRED;
  return matches(ifMatch, revision)
    ? undefined
    : failed('The resource has changed since it was read. Read it again.');
};

/**
 * Whether a write may go on.
 * @param revision in which the resource last changed; undefined if there is none.
 */
export const judgePrecondition = (
  conditions: Conditions,
  revision: number | undefined,
): Problem | undefined => {
  if (revision !== undefined) return judgeExisting(conditions, revision);
  return conditions.ifMatch === undefined ? undefined : failed('The resource does not exist.');
};

/** Whether a read can be answered with 304. */
export const isNotModified = (ifNoneMatch: string | undefined, revision: number): boolean =>
  ifNoneMatch !== undefined && tagsOf(ifNoneMatch).includes(entityTag(revision));
