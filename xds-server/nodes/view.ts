// What one kind of node is to see: the servers that every one of its lists means. Nodes with equal lists share one
// view, however many they are. Pure.

import { formatSelector, isCovered, type ServerSelector } from '#xds-server/nodes/selector.ts';

export type NodeView = {
  /** Equal for equal views. */
  readonly key: string;
  /** A server is seen if each list means it; no list, and everything is. */
  readonly within: readonly (readonly ServerSelector[])[];
  /** Clusters come one by one, when a call needs them. */
  readonly clustersOnDemand?: true;
};

export const viewOf = (...within: readonly (readonly ServerSelector[])[]): NodeView => {
  const limits = within.filter((list) => !isCovered(list, {}));
  const lists = limits.map((list) => list.map(formatSelector).toSorted().join(' '));
  return { key: lists.toSorted().join(' & '), within: limits };
};

/** The same servers, for nodes that ask for clusters one by one. */
export const onDemandView = (view: NodeView): NodeView => ({
  ...view,
  key: `on demand: ${view.key}`,
  clustersOnDemand: true,
});

export const EVERYTHING: NodeView = viewOf();

/** What of a tenant is seen: everything, nothing, or the servers for which the function says so. */
export type TenantConcern = 'all' | 'none' | ((serverId: string) => boolean);

export const concernOf = ({ within }: NodeView, tenantId: string): TenantConcern => {
  if (within.every((list) => isCovered(list, { tenantId }))) return 'all';
  const own = within.map((list) => list.filter((each) => (each.tenantId ?? tenantId) === tenantId));
  if (own.some((list) => list.length === 0)) return 'none';
  return (serverId) => own.every((list) => isCovered(list, { tenantId, serverId }));
};
