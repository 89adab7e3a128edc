// Whatever makes a policy name a bundle, a restore or one that is yet to be invented: the bundle is there. By one that was
// removed nobody could be judged, and every call of the tenant would be refused.

import type { Tenant } from '#core/tenant.ts';
import { newBundleDigests } from '#core/tenant-policy.ts';
import { conflict, type Refusal } from '#registry/commands/outcome.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import type { Store } from '#registry/store/store.ts';

/** What stands against a change; the store holds its commit against the same. @throws GatewayError `store_failed`. */
export const judgeNamedBundles = async (
  store: Pick<Store, 'findPolicyBundle'>,
  before: Tenant | undefined,
  after: Tenant | null,
): Promise<Refusal | undefined> => {
  if (after === null) return undefined;
  for (const digest of newBundleDigests(before?.policy, after.policy))
    if ((await store.findPolicyBundle(after.id, digest)) === undefined)
      return conflict(`${POLICY_NAME}: the bundle ${digest} was removed`);
  return undefined;
};
