// Reviews from the store: the version as the tenant has it now, against what is kept about it.

import { findVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { type Review, reviewVersions, type VersionOfServer } from '#registry/approval/review.ts';
import type { Store } from '#registry/store/store.ts';

export type LoadedReviews = {
  /** ApprovalRecords.mark of what they were made from. */
  readonly mark: number;
  readonly reviews: readonly Review[];
};

/** Reviews of published versions, in their order. */
export const loadReviews = async (
  store: Store,
  tenant: Tenant,
  versions: readonly VersionOfServer[],
): Promise<LoadedReviews> => {
  if (versions.length === 0) return { mark: 0, reviews: [] };
  const [serverId, ...others] = new Set(versions.map((version) => version.serverId));
  const records = await store.findApprovals(tenant.id, others.length === 0 ? serverId : undefined);
  return { mark: records.mark, reviews: reviewVersions(tenant, records, versions) };
};

export type LoadedReview = { readonly mark: number; readonly review: Review };

/** The review of one version; undefined if there is no such version. */
export const loadReview = async (
  store: Store,
  tenant: Tenant,
  named: { readonly serverId: string; readonly version: string },
): Promise<LoadedReview | undefined> => {
  const server = findServer(tenant, named.serverId);
  const version = server === undefined ? undefined : findVersion(server, named.version);
  if (version === undefined) return undefined;
  const { mark, reviews } = await loadReviews(store, tenant, [{ serverId: named.serverId, version }]);
  const [review] = reviews;
  return review === undefined ? undefined : { mark, review };
};
