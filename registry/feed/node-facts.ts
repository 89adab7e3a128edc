// A status for a registry that is older than what we know of nodes: it would refuse the whole of it, and with it how far
// everybody is. Pure.

import type { ConsumerStatus } from '#core/feed-message.ts';

/** The same without who the nodes are and were. */
export const withoutNodeFacts = ({ gone: _gone, nodes, ...rest }: ConsumerStatus): ConsumerStatus =>
  nodes === undefined ? rest : { ...rest, nodes: nodes.map(({ about: _about, ...node }) => node) };
