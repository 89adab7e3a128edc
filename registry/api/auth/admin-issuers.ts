// The admin issuers that tenants have, as the store holds them at this moment. Asked anew for every token, so that one
// that was taken away is gone with the commit, whichever replica made it; what costs is only what has changed since.

import type { AdminIssuer } from '#core/admin-issuer.ts';
import type { TenantChange } from '#core/snapshot.ts';
import { ADMIN_ISSUER_NAME } from '#registry/commands/resources.ts';
import type { FeedItem, FeedSource, TenantPatch } from '#registry/feed/feed-source.ts';

const BATCH = 100;

export type AdminIssuers = {
  /**
   * By tenant.
   * @throws GatewayError `store_failed`.
   */
  current(): Promise<ReadonlyMap<string, AdminIssuer>>;
};

/** What an item says of a tenant's admin issuer; undefined: nothing, null: there is none. */
const adminIssuerIn = (change: TenantChange | TenantPatch): AdminIssuer | null | undefined => {
  if (change.kind === 'remove') return null;
  if (change.kind === 'upsert') return change.tenant.adminIssuer ?? null;
  const changed = change.resources.find(({ name }) => name === ADMIN_ISSUER_NAME);
  return changed?.body as AdminIssuer | null | undefined;
};

const take = (issuers: Map<string, AdminIssuer>, item: FeedItem): void => {
  if (item.kind !== 'change') return;
  const { change } = item;
  const id = change.kind === 'upsert' ? change.tenant.id : change.tenantId;
  const adminIssuer = adminIssuerIn(change);
  if (adminIssuer === null) issuers.delete(id);
  else if (adminIssuer !== undefined) issuers.set(id, adminIssuer);
};

/** Follows the source when it is asked. */
export const createAdminIssuers = (source: Pick<FeedSource, 'lastSequence' | 'readAfter'>): AdminIssuers => {
  const issuers = new Map<string, AdminIssuer>();
  /** Up to where everything has been taken. A failure leaves it, so that nothing is counted from halfway. */
  let known = 0;
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  const follow = async (): Promise<void> => {
    const last = await source.lastSequence();
    let sequence = known;
    while (sequence < last) {
      const batch = await source.readAfter(sequence, BATCH, known);
      for (const item of batch.items) take(issuers, item);
      sequence = batch.upTo;
    }
    known = sequence;
  };
  const begin = (): Promise<void> => {
    waiting = undefined;
    const turn = follow();
    // A failure is for those who asked, not for those who ask next.
    running = turn.catch(() => undefined);
    return turn;
  };
  return {
    current: async () => {
      // Whoever asks during a look at the store may not use it, for it began before: all of them share the next one.
      waiting ??= running.then(begin);
      await waiting;
      return issuers;
    },
  };
};
