// /v1/tenants/{tenant}/policy: what judges a tenant's calls beside the platform's policy, and who may sign a bundle.

import type { FastifyInstance } from 'fastify';
import type { BundleReference, TenantPolicy } from '#core/tenant-policy.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { registerSingleResource } from '#registry/api/single-resource.ts';
import { putPolicy, removePolicy, type UploadedBundles } from '#registry/commands/policy.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { TenantPolicySchema } from '#registry/feed/schema/policy-schema.ts';

/** The bundles that a policy names, as they were uploaded. */
const findUploaded = async (
  { store }: ApiContext,
  tenantId: string,
  { bundle, shadow }: TenantPolicy,
): Promise<UploadedBundles> => {
  const find = async (reference: BundleReference | undefined) =>
    reference && (await store.findPolicyBundle(tenantId, reference.digest));
  return { bundle: await find(bundle), shadow: await find(shadow) };
};

export const registerPolicy = (app: FastifyInstance, context: ApiContext): void =>
  registerSingleResource<TenantPolicy>(app, context, {
    path: 'policy',
    name: POLICY_NAME,
    find: ({ policy }) => policy,
    schema: TenantPolicySchema,
    tag: 'policy',
    writeAccess: 'write',
    summaries: {
      read: "Read a tenant's own policy",
      put: "Set a tenant's own policy",
      about:
        "Its bundle, and the OPA it names, judge every call beside the platform's policy, and all must permit it; `shadow` is asked too, to compare, and decides nothing. A dry run lists what may be loosened by it.",
      remove: "Take a tenant's own policy away; the platform's judges alone",
    },
    put: async (all, tenantId, given) => {
      const uploaded = await findUploaded(all, tenantId, given);
      return (tenant) => putPolicy(tenant, given, { uploaded, checkUrl: all.checkUrl });
    },
    remove: removePolicy,
  });
