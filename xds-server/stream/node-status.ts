// What one Envoy has taken and refused, as the registry is told. Pure.

import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import { RESOURCE_KINDS, type ResourceKind, TYPE_URLS } from '#xds-server/resource-kind.ts';
import { type Arrivals, findArrival } from '#xds-server/snapshot/arrivals.ts';
import type { Conversation } from '#xds-server/stream/conversation.ts';

const rejectedOf = ({ subscriptions, target }: Conversation, kind: ResourceKind, arrivals: Arrivals) =>
  [...subscriptions[kind].rejected]
    .filter(([name, { version }]) => target?.kinds[kind].get(name)?.version === version)
    .map(([resource, { version, message, tenantId }]) => {
      const arrived = findArrival(arrivals, kind, { name: resource, version });
      return {
        typeUrl: TYPE_URLS[kind],
        resource,
        message,
        ...(tenantId === undefined ? {} : { tenantId }),
        ...(arrived === undefined ? {} : { arrived }),
      };
    });

/** A refused resource does not hold back the sequence: it is named beside it, so one tenant's fault stays its own. */
export const nodeStatus = (
  nodeId: string,
  conversation: Conversation,
  arrivals: Arrivals,
): Omit<EnvoyNodeStatus, 'about'> => ({
  nodeId,
  acknowledgedSequence: Math.max(0, conversation.settledSequence),
  rejected: RESOURCE_KINDS.flatMap((kind) => rejectedOf(conversation, kind, arrivals)),
});
