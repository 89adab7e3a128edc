// Incremental ADS: a client's messages in the conversation's words.

import { isWildcardKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Heard } from '#xds-server/stream/conversation.ts';
import { readHeld } from '#xds-server/stream/held-versions.ts';
import { redactNack } from '#xds-server/stream/nack.ts';
import { namesFor } from '#xds-server/stream/requested-names.ts';
import { type Subscription, WILDCARD } from '#xds-server/stream/subscription.ts';
import type { DeltaRequest } from '#xds-server/stream/wire.ts';

/** A first message that names nothing asks for everything, where the kind allows it. */
export const heardFromDelta = (
  request: DeltaRequest,
  kind: ResourceKind,
  subscription: Subscription,
): Heard => {
  const names = namesFor(kind, request.resource_names_subscribe);
  const unsubscribe = namesFor(kind, request.resource_names_unsubscribe);
  const isFirst = subscription.interest.kind === 'none';
  const { held, sequence } = readHeld(request.initial_resource_versions);
  const isWildcard = isFirst && isWildcardKind(kind) && names.length === 0 && unsubscribe.length === 0;
  return {
    kind,
    nonce: request.response_nonce,
    ...(request.error_detail === null ? {} : { refusal: redactNack(request.error_detail.message) }),
    ask: { subscribe: isWildcard ? [WILDCARD] : names, unsubscribe, held },
    heldSequence: sequence,
  };
};
