// Make before break: before a version gets calls, every Envoy that is connected has taken it. ext-authz hears of an activation
// at once, and names the version for the next call; an Envoy that was told of the version a moment ago would have no route
// for it yet, and calls that the version before it would have served would be refused.

import { findServer } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { waitForRollout } from '#registry/api/rollout/wait-for-rollout.ts';
import { versionName } from '#registry/commands/resources.ts';
import { envoysLack } from '#registry/rollout/assess.ts';

/** Many times what an Envoy takes to take a version, milliseconds. One that has not by then is stuck, and holds up no release. */
const LONGEST_WAIT_MS = 2_000;

/** The revision in which a version of the server was last published; 0 where there is none. */
const lastPublished = async ({ store }: ApiContext, tenantId: string, serverId: string): Promise<number> => {
  const stored = await store.findTenant(tenantId);
  const versions = stored === undefined ? [] : (findServer(stored.tenant, serverId)?.versions ?? []);
  return Math.max(0, ...versions.map(({ version }) => stored?.stamps[versionName(serverId, version)] ?? 0));
};

/**
 * Resolves when no Envoy that is connected lacks a version of the server any more, two seconds later at the latest.
 * @throws GatewayError `store_failed`.
 */
export const awaitVersions = async (
  context: ApiContext,
  { tenantId, serverId }: { readonly tenantId: string; readonly serverId: string },
): Promise<void> => {
  const revision = await lastPublished(context, tenantId, serverId);
  if (revision === 0) return;
  const wait = { tenantId, revision, limitMs: LONGEST_WAIT_MS };
  await waitForRollout(context, wait, (rollout) => !envoysLack(rollout));
};
