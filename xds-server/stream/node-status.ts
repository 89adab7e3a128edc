// What one Envoy has taken and refused, as the registry is told. Pure.

import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import { RESOURCE_KINDS, type ResourceKind, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { Conversation } from '#xds-server/stream/conversation.ts';

const rejectedOf = ({ subscriptions, target }: Conversation, kind: ResourceKind) =>
  [...subscriptions[kind].rejected]
    .filter(([name, { version }]) => target?.kinds[kind].get(name)?.version === version)
    .map(([resource, { message, tenantId }]) => ({
      typeUrl: TYPE_URLS[kind],
      resource,
      message,
      ...(tenantId === undefined ? {} : { tenantId }),
    }));

/** A refused resource does not hold back the sequence: it is named beside it, so one tenant's fault stays its own. */
export const nodeStatus = (nodeId: string, conversation: Conversation): EnvoyNodeStatus => ({
  nodeId,
  acknowledgedSequence: Math.max(0, conversation.settledSequence),
  rejected: RESOURCE_KINDS.flatMap((kind) => rejectedOf(conversation, kind)),
});
