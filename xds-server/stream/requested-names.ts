// Which names of a request are heard, and how many one client may ask for. Pure.

import { isWildcardKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Heard } from '#xds-server/stream/conversation.ts';
import { type Subscription, WILDCARD } from '#xds-server/stream/subscription.ts';

/**
 * Names one client may ask for of one kind. A gateway of ten thousand servers stays far below; a client that makes
 * names up, which are remembered in case they come to exist, is stopped here.
 */
const MAX_NAMES = 50_000;

/** Longest name, characters: ours are built of ids and stay below 300. */
const MAX_NAME_LENGTH = 1_024;

/** The wildcard is a word where the kind has one (listeners, clusters, scopes), else nobody's name, and not heard. */
export const namesFor = (kind: ResourceKind, names: readonly string[]): readonly string[] =>
  isWildcardKind(kind) || !names.includes(WILDCARD) ? names : names.filter((name) => name !== WILDCARD);

/** Why a message asks for too much, as a sentence for the client; undefined if it does not. */
export const findExcess = ({ interest }: Subscription, { kind, ask }: Heard): string | undefined => {
  const held = Object.keys(ask.held);
  const asked = (interest.kind === 'none' ? 0 : interest.names.size) + ask.subscribe.length;
  if (Math.max(asked, held.length) > MAX_NAMES)
    return `more than ${MAX_NAMES} names of one kind were asked for (${kind})`;
  const isLong = (name: string): boolean => name.length > MAX_NAME_LENGTH;
  return [...ask.subscribe, ...held].some(isLong)
    ? `a name is longer than ${MAX_NAME_LENGTH} characters (${kind})`
    : undefined;
};
