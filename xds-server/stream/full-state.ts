// State-of-the-world responses for kinds told as a whole: what is not in the response is deleted, so a refused
// resource is replaced by the last good one and what is to go is kept until its turn.

import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';
import { isRejected } from '#xds-server/stream/diff.ts';
import { isMentioned } from '#xds-server/stream/nack.ts';
import { isWanted, type Sent, type Subscription } from '#xds-server/stream/subscription.ts';

const lastGood = (subscription: Subscription, resource: Resource): Resource | undefined =>
  isRejected(subscription, resource) ? subscription.known.get(resource.name)?.resource : resource;

/** The whole state, of what the client asked for, in one response. */
export const fullState = (
  subscription: Subscription,
  resources: Resources,
  gone: 'keep-gone' | 'drop-gone',
): Sent => {
  const present = [...resources.values()]
    .filter(({ name }) => isWanted(subscription.interest, name))
    .flatMap((resource) => lastGood(subscription, resource) ?? []);
  const leaving = [...subscription.known].filter(([name]) => !resources.has(name));
  if (gone === 'drop-gone') return { resources: present, removed: leaving.map(([name]) => name) };
  return { resources: [...present, ...leaving.flatMap(([, known]) => known.resource ?? [])], removed: [] };
};

/**
 * Which resources of a refused response are at fault: those that were new to the client and are named in its text,
 * else all that were new.
 */
export const suspectsOf = (
  subscription: Subscription,
  response: Sent,
  message: string,
): readonly Resource[] => {
  const changed = response.resources.filter(
    ({ name, version }) => subscription.known.get(name)?.version !== version,
  );
  const named = changed.filter(({ name }) => isMentioned(message, name));
  return named.length > 0 ? named : changed;
};
