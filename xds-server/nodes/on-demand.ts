// The snapshot as Envoys get it that ask for clusters one by one: all is the same but for a listener that fetches them.
// Pure but for remembering that listener.

import type { ResourceSnapshot, Resources } from '#xds-server/snapshot/resource.ts';

/** The same value for the same listeners: what an Envoy agrees with is known by identity. */
const swapped = new WeakMap<Resources, Resources>();

const listenersOf = (listeners: Resources): Resources => {
  const known = swapped.get(listeners);
  if (known !== undefined) return known;
  const made = new Map([...listeners].map(([name, listener]) => [name, listener.onDemand ?? listener]));
  swapped.set(listeners, made);
  return made;
};

export const withClustersOnDemand = ({ sequence, kinds }: ResourceSnapshot): ResourceSnapshot => ({
  sequence,
  kinds: { ...kinds, listener: listenersOf(kinds.listener) },
  clustersOnDemand: true,
});
