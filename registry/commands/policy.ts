// Gives a tenant a policy of its own beside the platform's, or takes it away.

import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  BUNDLE_MEMBERS,
  type BundleMember,
  type BundleReference,
  type RemotePolicy,
  type TenantPolicy,
} from '#core/tenant-policy.ts';
import { type CheckUrl, type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** What is known of a bundle that was uploaded. */
export type UploadedBundle = { readonly digest: string; readonly signedBy?: string };

/** The bundles that a policy names, as they were uploaded; one that was not is not in it. */
export type UploadedBundles = Readonly<Partial<Record<BundleMember, UploadedBundle | undefined>>>;

const judgeReference = (
  { signedBy }: BundleReference,
  uploaded: UploadedBundle | undefined,
  pointer: string,
): readonly Fault[] => {
  if (uploaded === undefined)
    return [
      { pointer: `${pointer}/digest`, message: 'no bundle of this digest was uploaded for this tenant' },
    ];
  return signedBy === undefined || signedBy === uploaded.signedBy
    ? []
    : [{ pointer: `${pointer}/signedBy`, message: 'is not who signed it' }];
};

/** Names are put behind it with a slash, so it ends where the package does. */
const judgeRemote = (remote: RemotePolicy | undefined, checkUrl: CheckUrl): readonly Fault[] => {
  if (remote === undefined) return [];
  const checked = checkUrl(remote.url);
  if (!checked.ok) return [{ pointer: '/remote/url', message: checked.error }];
  const { search, hash, pathname } = checked.value;
  return search === '' && hash === '' && !pathname.endsWith('/')
    ? []
    : [{ pointer: '/remote/url', message: 'names a package: no query, no fragment, no slash at its end' }];
};

/** The reference with who signed the bundle, whatever was sent. */
const complete = ({ digest }: BundleReference, uploaded: UploadedBundle | undefined): BundleReference =>
  uploaded?.signedBy === undefined ? { digest } : { digest, signedBy: uploaded.signedBy };

/** The tenant with this policy in the place of the one it had. */
export const putPolicy = (
  before: Tenant,
  policy: TenantPolicy,
  { uploaded, checkUrl }: { readonly uploaded: UploadedBundles; readonly checkUrl: CheckUrl },
): Outcome => {
  const { keys, requireSignature, remote } = policy;
  const named = BUNDLE_MEMBERS.flatMap((member) => {
    const reference = policy[member];
    return reference === undefined ? [] : [{ member, reference, found: uploaded[member] }];
  });
  const references = named.map(({ member, reference, found }) => [member, complete(reference, found)]);
  return settle({
    before,
    after: {
      ...before,
      policy: {
        keys,
        requireSignature,
        ...Object.fromEntries(references),
        ...(remote === undefined ? {} : { remote }),
      },
    },
    resource: POLICY_NAME,
    faults: [
      ...named.flatMap(({ member, reference, found }) => judgeReference(reference, found, `/${member}`)),
      ...judgeRemote(remote, checkUrl),
    ],
  });
};

/** The tenant as the platform's policy alone judges it. */
export const removePolicy = (before: Tenant): Outcome => {
  const { policy, ...after } = before;
  return policy === undefined
    ? err(notFound('the policy'))
    : settle({ before, after, resource: POLICY_NAME });
};
