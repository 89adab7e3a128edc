// How many answers of a version were held against their schema, and how many did not fit: counted here since the last
// time they were taken, of the versions that somebody watches. Pure state; when it is told is for answer-figures.ts.

import { type AnswerFigures, NO_FIGURES, type VersionFigures } from '#core/call-figures.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer } from '#core/tenant.ts';

type VersionName = Pick<GuardOrders, 'tenantId' | 'serverId' | 'version'>;

export type AnswerCounter = {
  /**
   * Called once for each answer that was held against a schema.
   * @param isValid false also where the answer was let pass all the same.
   */
  judged(name: VersionName, isValid: boolean): void;
  /** What was counted since the last time. */
  take(): readonly VersionFigures[];
};

/** Without a limit on answers nobody reads the figures, and every report costs the registry a look. */
const isWatched = (snapshot: Snapshot, { tenantId, serverId, version }: VersionName): boolean => {
  const tenant = findTenant(snapshot, tenantId);
  const rule = tenant === undefined ? undefined : findServer(tenant, serverId)?.traffic?.abort;
  return rule?.version === version && rule.limits.some(({ signal }) => signal === 'invalid-answers');
};

/** @param snapshot what is served now, and so who is watched. */
export const createAnswerCounter = (snapshot: () => Snapshot): AnswerCounter => {
  let counted = new Map<string, { readonly name: VersionName; readonly answers: AnswerFigures }>();
  return {
    judged: ({ tenantId, serverId, version }, isValid) => {
      const name = { tenantId, serverId, version };
      if (!isWatched(snapshot(), name)) return;
      const key = `${tenantId}/${serverId}/${version}`;
      const { judged, invalid } = counted.get(key)?.answers ?? { judged: 0, invalid: 0 };
      counted.set(key, { name, answers: { judged: judged + 1, invalid: invalid + (isValid ? 0 : 1) } });
    },
    take: () => {
      const taken = [...counted.values()];
      counted = new Map();
      return taken.map(({ name, answers }) => ({ ...name, figures: { ...NO_FIGURES, answers } }));
    },
  };
};
