// What a client lacks of one kind, given what it has and what there is. Pure.

import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';
import { changedNames } from '#xds-server/snapshot/resource-step.ts';
import { GROUPING } from '#xds-server/snapshot/sequence.ts';
import { isWanted, type Sent, type Subscription } from '#xds-server/stream/subscription.ts';

/**
 * What one kind's responses may weigh before the client has answered for them, bytes: a client that does not read costs
 * no more than this, whatever there is to tell.
 */
const MAX_RESPONSE_BYTES = 1_048_576;

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

/** Names outside of which the client lacks nothing and has nothing too much; undefined if nobody knows. */
const doubtfulNames = (subscription: Subscription, resources: Resources): Iterable<string> | undefined => {
  const changed =
    subscription.agreed === undefined ? undefined : changedNames(subscription.agreed, resources);
  return changed === undefined ? undefined : new Set([...changed, ...subscription.owed]);
};

const found = (names: Iterable<string>, resources: Resources): readonly Resource[] =>
  [...names].flatMap((name) => resources.get(name) ?? []);

const wanted = (
  { interest }: Subscription,
  resources: Resources,
  doubtful: Iterable<string> | undefined,
): Iterable<Resource> => {
  if (doubtful !== undefined)
    return found(doubtful, resources).filter(({ name }) => isWanted(interest, name));
  if (interest.kind === 'all') return resources.values();
  return interest.kind === 'none' ? [] : found(interest.names, resources);
};

/** Compares. Sorted by name, so that equal differences are equal values. */
export const difference = (subscription: Subscription, resources: Resources): Difference => {
  const byName = (a: Resource, b: Resource): number => (a.name < b.name ? -1 : 1);
  const { known, owed } = subscription;
  const doubtful = doubtfulNames(subscription, resources);
  const additions = [...wanted(subscription, resources, doubtful)].filter((resource) =>
    isLacking(subscription, resource),
  );
  const isGone = (name: string): boolean => known.has(name) && !resources.has(name);
  return {
    additions: additions.sort(byName),
    absent: [...owed].filter((name) => !resources.has(name)).sort(),
    removals: [...(doubtful ?? known.keys())].filter(isGone).sort(),
  };
};

export const isNothing = ({ additions, absent, removals }: Difference): boolean =>
  additions.length + absent.length + removals.length === 0;

/** About what a response with it weighs, bytes. */
const weightOf = ({ any, name }: Resource): number => any.value.length + any.type_url.length + name.length;

/** Cut where it would be too heavy for one response. */
const portionsOf = (resources: readonly Resource[]): readonly (readonly Resource[])[] => {
  const portions: Resource[][] = [[]];
  let weight = 0;
  for (const resource of resources) {
    weight += weightOf(resource);
    if (weight > MAX_RESPONSE_BYTES && portions.at(-1)?.length !== 0) {
      portions.push([]);
      weight = weightOf(resource);
    }
    portions.at(-1)?.push(resource);
  }
  return portions;
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
  const batches = [...groups.values()]
    .flatMap(portionsOf)
    .map((resources): Sent => ({ resources, removed: [] }));
  const isSilent = batches.length === 0 && subscription.interest.kind === 'all' && !subscription.greeted;
  return absent.length > 0 || isSilent ? [...batches, { resources: [], removed: absent }] : batches;
};

/** As many responses as may be under way at once; the rest follows when they are answered. */
export const firstBatches = (batches: readonly Sent[]): readonly Sent[] => {
  let weight = 0;
  const end = batches.findIndex(({ resources }) => {
    for (const resource of resources) weight += weightOf(resource);
    return weight > MAX_RESPONSE_BYTES;
  });
  return end < 0 ? batches : batches.slice(0, Math.max(1, end));
};
