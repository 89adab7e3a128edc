// A tenant's policy: its keys are keys that verify what their `alg` says, and a bundle that must be signed is, by one of
// them.

import type { Tenant } from '#core/tenant.ts';
import { BUNDLE_MEMBERS, keyThumbprint, type TenantPolicy } from '#core/tenant-policy.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { judgeKey } from '#registry/commands/rules/publisher-rules.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';

const judgeKeys = ({ keys }: TenantPolicy): readonly Fault[] => {
  const taken = repeated(keys.map(({ kid }) => kid));
  return keys.flatMap((key, index) => [
    ...judgeKey(key, `/keys/${index}`),
    ...(taken.includes(key.kid)
      ? [{ pointer: `/keys/${index}/kid`, message: `${key.kid} names more than one key of the policy` }]
      : []),
  ]);
};

/** Whoever takes a key away takes the bundles away that it signed; another one must be there first. */
const judgeSignatures = (policy: TenantPolicy): readonly Fault[] => {
  if (!policy.requireSignature) return [];
  const known = new Set(policy.keys.map(({ jwk }) => keyThumbprint(jwk)));
  return BUNDLE_MEMBERS.flatMap((member) => {
    const reference = policy[member];
    if (reference === undefined) return [];
    const { signedBy } = reference;
    if (signedBy === undefined) return [{ pointer: `/${member}`, message: 'must be signed, and is not' }];
    return known.has(signedBy)
      ? []
      : [{ pointer: `/${member}`, message: 'is signed by a key that is not among keys' }];
  });
};

/** Keys are what they say, and a bundle that needs a signature has one of theirs. */
export const policyRule: Rule = ({ policy }: Tenant) => {
  if (policy === undefined) return [];
  const keys = judgeKeys(policy);
  const faults = keys.length > 0 ? keys : judgeSignatures(policy);
  return faults.map((fault) => ({ ...fault, resource: POLICY_NAME }));
};
