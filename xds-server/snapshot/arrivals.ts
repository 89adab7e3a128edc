// With which publication each resource came to be wanted as it is. What an Envoy refuses can then be laid at the door
// of the changes that brought it, and of no others. Pure; of resources it knows names and versions.

import { forEachKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot, Resources } from '#xds-server/snapshot/resource.ts';
import { changedNames } from '#xds-server/snapshot/resource-step.ts';

/** The change lies beyond `after` and not beyond `upTo`; one publication may carry several changes. */
export type Arrival = {
  /** Absent: wanted since this process first published, so nobody knows since when. */
  readonly after?: number;
  readonly upTo: number;
};

type Entry = { readonly version: string; readonly arrival: Arrival };

type Entries = ReadonlyMap<string, Entry>;

/** `published` undefined: nothing has been. */
export type Arrivals = {
  readonly published: ResourceSnapshot | undefined;
  readonly entries: Readonly<Record<ResourceKind, Entries>>;
};

export const NO_ARRIVALS: Arrivals = { published: undefined, entries: forEachKind(() => new Map()) };

const withNames = (
  before: Entries,
  names: Iterable<string>,
  resources: Resources,
  arrival: Arrival,
): Entries => {
  const entries = new Map(before);
  for (const name of names) {
    const version = resources.get(name)?.version;
    if (version === undefined) entries.delete(name);
    else if (before.get(name)?.version !== version) entries.set(name, { version, arrival });
  }
  return entries;
};

/** Arrivals as of the next publication. Only names that may have changed are looked at, where they are known. */
export const arrivalsAfter = (before: Arrivals, snapshot: ResourceSnapshot): Arrivals => {
  const { published } = before;
  const arrival: Arrival = {
    ...(published === undefined ? {} : { after: published.sequence }),
    upTo: snapshot.sequence,
  };
  const entriesOf = (kind: ResourceKind): Entries => {
    const [known, resources] = [before.entries[kind], snapshot.kinds[kind]];
    const changed = published === undefined ? undefined : changedNames(published.kinds[kind], resources);
    if (changed?.size === 0) return known;
    return withNames(known, changed ?? [...known.keys(), ...resources.keys()], resources, arrival);
  };
  return { published: snapshot, entries: forEachKind(entriesOf) };
};

/** Undefined if that version of the resource is not wanted. */
export const findArrival = (
  { entries }: Arrivals,
  kind: ResourceKind,
  { name, version }: { readonly name: string; readonly version: string },
): Arrival | undefined => {
  const entry = entries[kind].get(name);
  return entry?.version === version ? entry.arrival : undefined;
};
