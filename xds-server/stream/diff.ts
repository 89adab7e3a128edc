// What a client lacks of one kind, given what it has and what there is. Pure.

import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';
import { GROUPING } from '#xds-server/snapshot/sequence.ts';
import type { Sent, Subscription } from '#xds-server/stream/subscription.ts';

export type Difference = {
  readonly additions: readonly Resource[];
  /** Asked for by name and not there: answered at once, so that the client need not wait for it. */
  readonly absent: readonly string[];
  /** Had by the client and gone. */
  readonly removals: readonly string[];
};

/** The version of a resource the client refused and was not offered a better one since. */
export const isRejected = (subscription: Subscription, resource: Resource): boolean =>
  subscription.rejected.get(resource.name)?.version === resource.version;

const isLacking = (subscription: Subscription, resource: Resource): boolean => {
  const { name, version, isPlaceholder } = resource;
  if (isRejected(subscription, resource)) return false;
  if (subscription.owed.has(name)) return true;
  const known = subscription.known.get(name);
  // A placeholder would take away addresses that the client learnt before we restarted.
  return known === undefined || (known.version !== version && !isPlaceholder);
};

const wanted = (subscription: Subscription, resources: Resources): Iterable<Resource> => {
  const { interest } = subscription;
  if (interest.kind === 'all') return resources.values();
  if (interest.kind === 'none') return [];
  return [...interest.names].flatMap((name) => resources.get(name) ?? []);
};

/** Compares. Sorted by name, so that equal differences are equal values. */
export const difference = (subscription: Subscription, resources: Resources): Difference => {
  const byName = (a: Resource, b: Resource): number => (a.name < b.name ? -1 : 1);
  const additions = [...wanted(subscription, resources)].filter((resource) =>
    isLacking(subscription, resource),
  );
  // Named kinds are never removed: Envoy drops endpoints with their cluster and routes with their scope.
  const gone = subscription.interest.kind === 'all' ? [...subscription.known.keys()] : [];
  return {
    additions: additions.sort(byName),
    absent: [...subscription.owed].filter((name) => !resources.has(name)).sort(),
    removals: gone.filter((name) => !resources.has(name)).sort(),
  };
};

const companyOf = (kind: ResourceKind, subscription: Subscription, resource: Resource): string => {
  const company = subscription.suspected.get(resource.name) ?? GROUPING[kind];
  if (company === 'alone') return `alone ${resource.name}`;
  return company === 'tenant' ? `tenant ${resource.tenantId ?? ''}` : 'together';
};

/** Additions cut into the responses they travel in. */
export const additionBatches = (
  kind: ResourceKind,
  subscription: Subscription,
  { additions, absent }: Difference,
): readonly Sent[] => {
  const groups = Map.groupBy(additions, (resource) => companyOf(kind, subscription, resource));
  const batches = [...groups.values()].map((resources): Sent => ({ resources, removed: [] }));
  const isSilent = batches.length === 0 && subscription.interest.kind === 'all' && !subscription.greeted;
  return absent.length > 0 || isSilent ? [...batches, { resources: [], removed: absent }] : batches;
};
