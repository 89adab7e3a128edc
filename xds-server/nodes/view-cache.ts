// The snapshot of each view, made once for all nodes that share it and remade only where one of its tenants changed.
// Views that nobody asks for are forgotten with the publication after next. Pure but for that memory.

import { assemble, cutByOwner, narrow, type Piece, type Pieces } from '#xds-server/nodes/concerns.ts';
import { withClustersOnDemand } from '#xds-server/nodes/on-demand.ts';
import { concernOf, type NodeView } from '#xds-server/nodes/view.ts';
import { type Arrivals, arrivalsAfter, NO_ARRIVALS } from '#xds-server/snapshot/arrivals.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

/** What nodes of one view are to have, and with which publication each part of it came. */
export type ViewedSnapshot = { readonly snapshot: ResourceSnapshot; readonly arrivals: Arrivals };

type Entry = ViewedSnapshot & {
  /** By tenant: what it was cut from, and what was left. */
  readonly cuts: ReadonlyMap<string, { readonly from: Piece; readonly left: Piece | undefined }>;
  readonly shared: Piece;
};

export type ViewCache = {
  /** There is a newer world. */
  publish(snapshot: ResourceSnapshot): void;
  /** Undefined until something was published. */
  find(view: NodeView): ViewedSnapshot | undefined;
};

const cutAll = (pieces: Pieces, view: NodeView, before: Entry | undefined): Entry['cuts'] =>
  new Map(
    [...pieces.tenants].flatMap(([tenantId, from]) => {
      const concern = concernOf(view, tenantId);
      if (concern === 'none') return [];
      const known = before?.cuts.get(tenantId);
      return [[tenantId, known?.from === from ? known : { from, left: narrow(from, concern) }] as const];
    }),
  );

const isUnchanged = (before: Entry, shared: Piece, cuts: Entry['cuts']): boolean =>
  before.shared === shared &&
  before.cuts.size === cuts.size &&
  [...cuts].every(([tenantId, cut]) => before.cuts.get(tenantId) === cut);

const refresh = (view: NodeView, world: ResourceSnapshot, pieces: Pieces, before?: Entry): Entry => {
  const { shared } = pieces;
  const { sequence } = world;
  const cuts = cutAll(pieces, view, before);
  const snapshot =
    before !== undefined && isUnchanged(before, shared, cuts)
      ? { sequence, kinds: before.snapshot.kinds }
      : assemble(sequence, [shared, ...[...cuts.values()].flatMap(({ left }) => left ?? [])]);
  return { snapshot, arrivals: arrivalsAfter(before?.arrivals ?? NO_ARRIVALS, snapshot), cuts, shared };
};

/** An empty cache. */
export const createViewCache = (): ViewCache => {
  let world: ResourceSnapshot | undefined;
  let arrivals = NO_ARRIVALS;
  let pieces: Pieces | undefined;
  let isCut = false;
  let entries = new Map<string, Entry>();
  let former = new Map<string, Entry>();

  const findNarrow = (view: NodeView, snapshot: ResourceSnapshot): ViewedSnapshot => {
    const known = entries.get(view.key);
    if (known !== undefined) return known;
    // Where every node sees everything, nothing is ever cut.
    if (!isCut || pieces === undefined) pieces = cutByOwner(snapshot, pieces);
    isCut = true;
    const entry = refresh(view, snapshot, pieces, former.get(view.key));
    entries.set(view.key, entry);
    return entry;
  };

  return {
    publish: (snapshot) => {
      world = snapshot;
      arrivals = arrivalsAfter(arrivals, snapshot);
      isCut = false;
      former = entries;
      entries = new Map();
    },
    find: (view) => {
      if (world === undefined) return undefined;
      const found = view.within.length === 0 ? { snapshot: world, arrivals } : findNarrow(view, world);
      if (view.clustersOnDemand !== true) return found;
      return { snapshot: withClustersOnDemand(found.snapshot), arrivals: found.arrivals };
    },
  };
};
