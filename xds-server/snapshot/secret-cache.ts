// Packed secrets, repacked only where what is known of them changed. One that nothing is known of is no resource: Envoy
// is told that there is none.

import { packResource, type Resource } from '#xds-server/snapshot/resource.ts';
import {
  buildSecret,
  type MaterialOf,
  type SecretMaterial,
  type SecretRef,
  secretResourceName,
} from '#xds-server/translate/secrets.ts';

export type CachedSecret = { readonly material: SecretMaterial; readonly resource: Resource };

/** By name of the resource. */
export type CachedSecrets = ReadonlyMap<string, CachedSecret>;

const refreshSecret = (
  ref: SecretRef,
  material: SecretMaterial,
  before: CachedSecret | undefined,
): CachedSecret => {
  if (before?.material === material) return before;
  const { tenantId } = ref;
  return {
    material,
    resource: packResource(secretResourceName(ref), buildSecret(ref, material), { tenantId }),
  };
};

/** The secrets of these names, given those so far. `materialOf` must return the same value while nothing changed. */
export const refreshSecrets = (
  refs: Iterable<SecretRef>,
  before: CachedSecrets,
  materialOf: MaterialOf,
): CachedSecrets => {
  const secrets = new Map<string, CachedSecret>();
  for (const ref of refs) {
    const material = materialOf(ref);
    const name = secretResourceName(ref);
    if (material !== undefined) secrets.set(name, refreshSecret(ref, material, before.get(name)));
  }
  return secrets;
};
