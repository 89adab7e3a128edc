// State-of-the-world ADS: each request repeats all names, so what is new and what is given up is found by comparing.

import { isWildcardKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Heard } from '#xds-server/stream/conversation.ts';
import { responseSequence } from '#xds-server/stream/held-versions.ts';
import { redactNack } from '#xds-server/stream/nack.ts';
import { namesFor } from '#xds-server/stream/requested-names.ts';
import { type Ask, type Subscription, WILDCARD } from '#xds-server/stream/subscription.ts';
import type { SotwRequest } from '#xds-server/stream/wire.ts';

/** No names mean everything for as long as none were ever given. */
const isImplicitly = (names: readonly string[], kind: ResourceKind, { interest }: Subscription): boolean =>
  names.length === 0 &&
  isWildcardKind(kind) &&
  (interest.kind === 'none' || (interest.kind === 'all' && interest.isImplicit));

const askFromNames = (names: readonly string[], kind: ResourceKind, subscription: Subscription): Ask => {
  const { interest } = subscription;
  if (isImplicitly(names, kind, subscription))
    return { subscribe: [WILDCARD], unsubscribe: [], isImplicit: true, held: {} };
  const before = interest.kind === 'none' ? new Set<string>() : new Set(interest.names);
  if (interest.kind === 'all' && !(interest.isImplicit && names.includes(WILDCARD))) before.add(WILDCARD);
  const now = new Set(names);
  return {
    subscribe: [...now].filter((name) => !before.has(name)),
    unsubscribe: [...before].filter((name) => !now.has(name)),
    held: {},
  };
};

export const heardFromSotw = (
  request: SotwRequest,
  kind: ResourceKind,
  subscription: Subscription,
): Heard => ({
  kind,
  nonce: request.response_nonce,
  ...(request.error_detail === null ? {} : { refusal: redactNack(request.error_detail.message) }),
  ask: askFromNames(namesFor(kind, request.resource_names), kind, subscription),
  // Later ones are of this connection, where we know ourselves what was told.
  ...(subscription.interest.kind === 'none' ? { heldSequence: responseSequence(request.version_info) } : {}),
});
