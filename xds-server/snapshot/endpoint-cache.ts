// Packed endpoint assignments by cluster, repacked only where the addresses changed.

import { packResource, type Resource } from '#xds-server/snapshot/resource.ts';
import { type AddressesOf, buildEndpoints, isUnresolved } from '#xds-server/translate/endpoints.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type CachedEndpoints = {
  readonly upstream: Upstream;
  readonly addresses: readonly (readonly string[] | undefined)[];
  readonly resource: Resource;
};

/** The entry of one cluster, given its entry so far. `addressesOf` must return the same array while nothing changed. */
export const refreshEndpoints = (
  cluster: { readonly name: string; readonly upstream: Upstream; readonly tenantId: string },
  before: CachedEndpoints | undefined,
  addressesOf: AddressesOf,
): CachedEndpoints => {
  const { name, upstream, tenantId } = cluster;
  const addresses = upstream.endpoints.map(({ url }) => addressesOf(url));
  const same = before?.upstream === upstream && before.addresses.every((list, at) => list === addresses[at]);
  if (same) return before;
  const isPlaceholder = isUnresolved(upstream, addressesOf);
  const message = buildEndpoints(name, upstream, addressesOf);
  return { upstream, addresses, resource: packResource(name, message, { tenantId, isPlaceholder }) };
};
