// With which publication each resource came to be wanted as it is. What an Envoy refuses can then be laid at the door
// of the changes that brought it, and of no others. Pure; of resources it knows names and versions.

import { RESOURCE_KINDS, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

/** The change lies beyond `after` and not beyond `upTo`; one publication may carry several changes. */
export type Arrival = {
  /** Absent: wanted since this process first published, so nobody knows since when. */
  readonly after?: number;
  readonly upTo: number;
};

type Entry = { readonly version: string; readonly arrival: Arrival };

export type Arrivals = {
  readonly sequence: number | undefined;
  readonly entries: ReadonlyMap<string, Entry>;
};

export const NO_ARRIVALS: Arrivals = { sequence: undefined, entries: new Map() };

const keyOf = (kind: ResourceKind, name: string): string => `${kind} ${name}`;

/** Arrivals as of the next publication. */
export const arrivalsAfter = (before: Arrivals, { sequence, kinds }: ResourceSnapshot): Arrivals => {
  const arrival: Arrival = {
    ...(before.sequence === undefined ? {} : { after: before.sequence }),
    upTo: sequence,
  };
  const entries = new Map<string, Entry>();
  for (const kind of RESOURCE_KINDS)
    for (const { name, version } of kinds[kind].values()) {
      const known = before.entries.get(keyOf(kind, name));
      entries.set(keyOf(kind, name), known?.version === version ? known : { version, arrival });
    }
  return { sequence, entries };
};

/** Undefined if that version of the resource is not wanted. */
export const findArrival = (
  { entries }: Arrivals,
  kind: ResourceKind,
  { name, version }: { readonly name: string; readonly version: string },
): Arrival | undefined => {
  const entry = entries.get(keyOf(kind, name));
  return entry?.version === version ? entry.arrival : undefined;
};
