// The admin issuers that tenants have, as the store holds them at this moment. Asked anew for every token, so that one
// that was taken away is gone with the commit, whichever replica made it; what costs is only what has changed since.

import type { AdminIssuer } from '#core/admin-issuer.ts';
import type { FeedItem, FeedSource } from '#registry/feed/feed-source.ts';

const BATCH = 100;

export type AdminIssuers = {
  /**
   * By tenant.
   * @throws GatewayError `store_failed`.
   */
  current(): Promise<ReadonlyMap<string, AdminIssuer>>;
};

const take = (issuers: Map<string, AdminIssuer>, item: FeedItem): void => {
  if (item.kind !== 'change') return;
  const { change } = item;
  if (change.kind === 'remove') {
    issuers.delete(change.tenantId);
    return;
  }
  const { id, adminIssuer } = change.tenant;
  if (adminIssuer === undefined) issuers.delete(id);
  else issuers.set(id, adminIssuer);
};

/** Follows the source when it is asked. */
export const createAdminIssuers = (source: Pick<FeedSource, 'lastSequence' | 'readAfter'>): AdminIssuers => {
  const issuers = new Map<string, AdminIssuer>();
  let sequence = 0;
  let following: Promise<void> = Promise.resolve();
  const follow = async (): Promise<void> => {
    const last = await source.lastSequence();
    while (sequence < last) {
      const batch = await source.readAfter(sequence, BATCH);
      for (const item of batch.items) take(issuers, item);
      sequence = batch.upTo;
    }
  };
  return {
    current: async () => {
      // One after the other: two at once would read the same twice. A failure is the asker's, not the next one's.
      const turn = following.then(follow, follow);
      following = turn.catch(() => undefined);
      await turn;
      return issuers;
    },
  };
};
