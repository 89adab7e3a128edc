// Who an Envoy is, as the registry is told: what it was admitted as, since when it is here, and what it refused last. Pure.

import type { EnvoyNodeFacts, LastNack } from '#core/feed-message.ts';
import type { AdmittedNode } from '#xds-server/nodes/authorise.ts';
import { formatSelector } from '#xds-server/nodes/selector.ts';
import { TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { Conversation, Heard, Protocol } from '#xds-server/stream/conversation.ts';

/** The rest is counted: a first response may hold a thousand names. */
const MAX_NAMES = 10;

/** What a stream knows of its Envoy by itself. */
export type StreamFacts = {
  readonly protocol: Protocol;
  /** RFC 3339. */
  readonly connectedSince: string;
  readonly lastNack?: LastNack;
};

/**
 * The refusal in a client's message, with the names of what it refused; undefined for a message that refuses nothing.
 * @param conversation as it was before the message: afterwards the response is forgotten.
 */
export const nackIn = (
  { subscriptions }: Conversation,
  { kind, nonce, refusal }: Heard,
  at: string,
): LastNack | undefined => {
  if (refusal === undefined) return undefined;
  const names = subscriptions[kind].inFlight.get(nonce)?.resources.map(({ name }) => name) ?? [];
  return {
    typeUrl: TYPE_URLS[kind],
    resources: names.slice(0, MAX_NAMES),
    omitted: Math.max(0, names.length - MAX_NAMES),
    message: refusal,
    at,
  };
};

export const nodeFacts = ({ claim, san }: AdmittedNode, stream: StreamFacts): EnvoyNodeFacts => {
  const { group, servers, region, envoyVersion } = claim;
  return {
    group,
    ...(servers.length === 0 ? {} : { servers: servers.map(formatSelector) }),
    ...(region === undefined ? {} : { region }),
    ...(san === undefined ? {} : { san }),
    ...(envoyVersion === undefined ? {} : { envoyVersion }),
    ...stream,
  };
};
