// Packed endpoint assignments by cluster, repacked only where the addresses or their weights changed.

import { packResource, type Resource, unchanged } from '#xds-server/snapshot/resource.ts';
import {
  buildEndpoints,
  type EndpointFacts,
  isUnresolved,
  measuredWeights,
} from '#xds-server/translate/endpoints.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';

export type CachedEndpoints = {
  readonly upstream: Upstream;
  readonly addresses: readonly (readonly string[] | undefined)[];
  readonly weights: readonly number[];
  readonly resource: Resource;
};

/** The entry of one cluster, given its entry so far. `addressesOf` must return the same array while nothing changed. */
export const refreshEndpoints = (
  cluster: { readonly name: string; readonly upstream: Upstream; readonly tenantId: string },
  before: CachedEndpoints | undefined,
  facts: EndpointFacts,
): CachedEndpoints => {
  const { name, upstream, tenantId } = cluster;
  const addresses = upstream.endpoints.map(({ url }) => facts.addressesOf(url));
  const weights = measuredWeights(name, upstream, facts);
  const same =
    before?.upstream === upstream &&
    before.addresses.every((list, at) => list === addresses[at]) &&
    before.weights.every((weight, at) => weight === weights[at]);
  if (same) return before;
  const isPlaceholder = isUnresolved(upstream, facts.addressesOf);
  const message = buildEndpoints(name, upstream, facts);
  const resource = packResource(name, message, { tenantId, isPlaceholder });
  return { upstream, addresses, weights, resource: unchanged(before?.resource, resource) };
};
