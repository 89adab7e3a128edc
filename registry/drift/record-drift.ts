// What becomes of what the response guard has seen, and of what was seen once a server is changed. Knows no API and no feed.

import type { DriftSighting } from '#core/tool-drift.ts';
import { isSightGone } from '#registry/drift/gone.ts';
import type { DriftStep, ServerName } from '#registry/store/drift.ts';
import type { Store } from '#registry/store/store.ts';

/** Whom the audit names; no principal looks like this. */
const ACTOR = 'mcpgw:response-guard';

export type DriftRecorder = {
  /** Takes sightings of any servers; resolves with how many are of tools that are pinned. Rejects as the store does. */
  record(sightings: readonly DriftSighting[]): Promise<number>;
  /** Ends what can get no call any more. */
  sweep(): Promise<void>;
};

/**
 * @param parts.onStep hears of every write, also of such as changed nothing for calls.
 */
export const createDriftRecorder = (parts: {
  readonly store: Pick<Store, 'findTenant' | 'takeDrift' | 'listDriftingServers'>;
  readonly nowMs: () => number;
  readonly onStep: (step: DriftStep) => void;
}): DriftRecorder => {
  const { store, nowMs, onStep } = parts;

  /** @returns how many of the sightings count. */
  const take = async (server: ServerName, sightings: readonly DriftSighting[]): Promise<number> => {
    const stored = await store.findTenant(server.tenantId);
    const isGone = (sight: Parameters<typeof isSightGone>[2]): boolean =>
      isSightGone(stored?.tenant, server, sight);
    const at = new Date(nowMs()).toISOString();
    // A clock that is ahead must not make what comes after look late.
    const counting = sightings
      .filter((sighting) => !isGone(sighting))
      .map((sighting) => (Date.parse(sighting.at) > nowMs() ? { ...sighting, at } : sighting));
    if (sightings.length > 0 && counting.length === 0) return 0;
    onStep(await store.takeDrift({ ...server, sightings: counting, isGone, actor: ACTOR, at }));
    return counting.length;
  };

  return {
    record: async (sightings) => {
      const byServer = Map.groupBy(sightings, ({ tenantId, serverId }) => `${tenantId} ${serverId}`);
      let taken = 0;
      for (const ofServer of byServer.values()) {
        const [first] = ofServer;
        if (first !== undefined) taken += await take(first, ofServer);
      }
      return taken;
    },
    sweep: async () => {
      for (const server of await store.listDriftingServers()) await take(server, []);
    },
  };
};
