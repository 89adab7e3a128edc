// Whether a version may be put into service, and what is to be kept when it is.

import { isSameJson } from '#core/same-json.ts';
import { servedVersions } from '#core/served-versions.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { type Decider, type MadeDecision, makeDecision } from '#registry/approval/decide.ts';
import type { Review, VersionOfServer } from '#registry/approval/review.ts';

/** Whether calls can be sent to this version of a tenant's server. */
export const isServed = (tenant: Tenant, serverId: string, version: string): boolean => {
  const server = findServer(tenant, serverId);
  return server !== undefined && servedVersions(server).some((served) => served.version === version);
};

const newlyServedBy = (before: McpServer | undefined, after: McpServer): readonly ServerVersion[] => {
  if (before === after) return [];
  const known = before === undefined ? [] : servedVersions(before);
  return servedVersions(after).filter((version) => !known.some((other) => isSameJson(other, version)));
};

/** What `after` serves and `before` does not, whatever changed it. Switches do not count: they can be released. */
export const newlyServed = (before: Tenant | undefined, after: Tenant): readonly VersionOfServer[] => {
  const known = new Map((before?.servers ?? []).map((server) => [server.id, server]));
  return after.servers.flatMap((server) =>
    newlyServedBy(known.get(server.id), server).map((version) => ({ serverId: server.id, version })),
  );
};

/** Without four eyes, who published a version by himself has seen it. A manifest is published by nobody's eyes. */
const isOwnWork = ({ fourEyes, submissions }: Review, actor: string): boolean =>
  !fourEyes &&
  submissions.length > 0 &&
  submissions.every(({ actor: author, signer }) => signer === undefined && author === actor);

/** Put into service by name, alone or in a split of calls, or as part of something larger such as a restore. */
export type Manner = 'activated' | 'split' | 'brought-back';

/**
 * What must be kept with the change that serves it; an empty list: nothing new.
 * @returns undefined if it may not be served.
 */
export const judgeServing = (
  review: Review,
  decider: Decider,
  manner: Manner,
): readonly MadeDecision[] | undefined => {
  if (review.state === 'approved') return [];
  if (review.state === 'not-needed')
    return review.decision === undefined ? [makeDecision(review, 'passed', decider)] : [];
  const isSeen = review.state === 'waiting' && manner !== 'brought-back' && isOwnWork(review, decider.actor);
  return isSeen ? [makeDecision(review, 'approved', decider)] : undefined;
};
