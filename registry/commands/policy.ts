// Gives a tenant a policy of its own beside the platform's, or takes it away.

import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { BundleReference, TenantPolicy } from '#core/tenant-policy.ts';
import { type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** What is known of a bundle that was uploaded. */
export type UploadedBundle = { readonly digest: string; readonly signedBy?: string };

const judgeReference = (
  reference: BundleReference,
  uploaded: UploadedBundle | undefined,
): readonly Fault[] => {
  if (uploaded === undefined)
    return [{ pointer: '/bundle/digest', message: 'no bundle of this digest was uploaded for this tenant' }];
  return reference.signedBy === undefined || reference.signedBy === uploaded.signedBy
    ? []
    : [{ pointer: '/bundle/signedBy', message: 'is not who signed it' }];
};

/** The tenant with this policy in the place of the one it had. `uploaded`: the bundle it names, if there is such a one. */
export const putPolicy = (
  before: Tenant,
  policy: TenantPolicy,
  uploaded: UploadedBundle | undefined,
): Outcome => {
  const { bundle, ...rules } = policy;
  const signedBy = uploaded?.signedBy === undefined ? {} : { signedBy: uploaded.signedBy };
  const completed =
    bundle === undefined ? rules : { ...rules, bundle: { digest: bundle.digest, ...signedBy } };
  return settle({
    before,
    after: { ...before, policy: completed },
    resource: POLICY_NAME,
    faults: bundle === undefined ? [] : judgeReference(bundle, uploaded),
  });
};

/** The tenant as the platform's policy alone judges it. */
export const removePolicy = (before: Tenant): Outcome => {
  const { policy, ...after } = before;
  return policy === undefined
    ? err(notFound('the policy'))
    : settle({ before, after, resource: POLICY_NAME });
};
