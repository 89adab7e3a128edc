// What ext-authz does with a new snapshot before it says that it serves it: keys are fetched from where it says, and the
// policies that tenants name are in place, and directories are watched.

import type { ConsumerStatus } from '#core/feed-message.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import type { TenantPolicyService } from '#ext-authz/policy/tenant-policies.ts';
import type { GraphWatch } from '#ext-authz/revocation/graph-watch.ts';

export type SnapshotFollower = {
  /** Takes a snapshot up. Calls use it from the moment it came; it is reported when its policies are in place. */
  follow(snapshot: Snapshot): void;
  /** Reports again, after a policy that had failed. */
  report(): void;
};

/** @param parts.report tells the registry. */
export const createSnapshotFollower = (parts: {
  readonly keySets: Pick<KeySets, 'follow'>;
  readonly policies: Pick<TenantPolicyService, 'follow' | 'failing'>;
  readonly directories: Pick<GraphWatch, 'follow'>;
  readonly report: (status: ConsumerStatus) => void;
}): SnapshotFollower => {
  const { keySets, policies, directories } = parts;
  let latest: Snapshot | undefined;
  const report = (): void => {
    if (latest === undefined) return;
    const untranslated = policies.failing();
    parts.report({ sequence: latest.sequence, ...(untranslated.length === 0 ? {} : { untranslated }) });
  };
  return {
    follow: (snapshot) => {
      latest = snapshot;
      keySets.follow(snapshot);
      directories.follow(snapshot);
      // Only of the newest is it true that it is served.
      void policies.follow(snapshot).then(() => {
        if (latest === snapshot) report();
      });
    },
    report,
  };
};
