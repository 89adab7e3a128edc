// Finds the rules for an answer in the copy of the registry that is held here. ext-authz may have judged the call by a
// newer state of the tenant: then that is waited for, because older rules could let pass what newer ones keep back. Changes
// of other tenants are no reason to wait: while the feed is away they would be outages of all.

import type { GuardOrders } from '#core/guard-orders.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { type AnswerRules, findRules } from '#ext-proc/rules/find-rules.ts';

export type RulesDesk = {
  /** @returns undefined where rules new enough did not come in time, or there are none for this version. */
  rulesFor(orders: GuardOrders): AnswerRules | undefined | Promise<AnswerRules | undefined>;
  /** Another copy is held now. */
  arrived(): void;
};

/** @param options.patienceMs how long a newer copy is waited for: below Envoy's patience with us (xds-server/filters/external-processor.ts). */
export const createRulesDesk = (options: {
  readonly snapshot: () => Snapshot;
  readonly patienceMs: number;
}): RulesDesk => {
  const waiting = new Set<() => void>();
  const isNew = ({ sequence, revision, tenantId }: GuardOrders): boolean => {
    const snapshot = options.snapshot();
    const tenant = revision === undefined ? undefined : findTenant(snapshot, tenantId);
    // A tenant that a newer copy does not have is gone, and will not come.
    return tenant === undefined || revision === undefined
      ? snapshot.sequence >= sequence
      : tenant.revision >= revision;
  };
  const wait = (orders: GuardOrders): Promise<AnswerRules | undefined> =>
    new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve(isNew(orders) ? findRules(options.snapshot(), orders) : undefined);
      };
      const look = (): void => {
        if (isNew(orders)) settle();
      };
      const timer = setTimeout(settle, options.patienceMs);
      waiting.add(look);
    });
  return {
    rulesFor: (orders) => (isNew(orders) ? findRules(options.snapshot(), orders) : wait(orders)),
    arrived: () => {
      for (const look of [...waiting]) look();
    },
  };
};
