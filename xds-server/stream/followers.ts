// What Envoy asks for in its own time, once it has what refers to it: endpoints of a cluster, routes of a scope. Until it
// has got them, what comes later must wait. Pure.

import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot, Resources } from '#xds-server/snapshot/resource.ts';
import { changedNames } from '#xds-server/snapshot/resource-step.ts';
import { isRejected } from '#xds-server/stream/diff.ts';
import type { Ask, Subscription } from '#xds-server/stream/subscription.ts';

/** By kind that follows: the kind that refers to it. */
const LEADERS: Readonly<Partial<Record<ResourceKind, ResourceKind>>> = {
  endpoint: 'cluster',
  route: 'scope',
};

/**
 * By kind that follows: the publications of which nothing was awaited. Of later ones only what has changed since can be,
 * for as long as the client has only said yes to what it was told, or asked for more.
 */
export type Complete = Readonly<
  Partial<Record<ResourceKind, { readonly leaders: Resources; readonly followers: Resources }>>
>;

type Following = {
  readonly subscriptions: Readonly<Record<ResourceKind, Subscription>>;
  readonly complete: Complete;
};

/** Leaders of which a follower may be missing; undefined: it may be any. */
const doubtfulLeaders = (
  { subscriptions, complete }: Following,
  target: ResourceSnapshot,
  { kind, leader }: { readonly kind: ResourceKind; readonly leader: ResourceKind },
): ReadonlySet<string> | undefined => {
  const before = complete[kind];
  if (before === undefined) return undefined;
  const leaders = changedNames(before.leaders, target.kinds[leader]);
  const followers = changedNames(before.followers, target.kinds[kind]);
  if (leaders === undefined || followers === undefined) return undefined;
  // A leader the client has not got awaits nothing; another one, that did not change, may need the same follower.
  const had = [...leaders].filter((name) => subscriptions[leader].known.has(name));
  const needed = new Set(had.map((name) => target.kinds[leader].get(name)?.needs));
  const isStray = (name: string): boolean =>
    !needed.has(name) && target.kinds[kind].has(name) && !subscriptions[kind].known.has(name);
  return [...followers].some(isStray) ? undefined : leaders;
};

/** Envoy has a resource of another kind that is of no use without one of this kind, and has not got that yet. */
export const awaits = (following: Following, target: ResourceSnapshot, kind: ResourceKind): boolean => {
  const leader = LEADERS[kind];
  if (leader === undefined) return false;
  const { [kind]: follower, [leader]: leading } = following.subscriptions;
  const isMissing = (name: string): boolean => {
    const needs = leading.known.has(name) ? target.kinds[leader].get(name)?.needs : undefined;
    const needed = needs === undefined ? undefined : target.kinds[kind].get(needs);
    return needed !== undefined && !follower.known.has(needed.name) && !isRejected(follower, needed);
  };
  const doubtful = doubtfulLeaders(following, target, { kind, leader }) ?? leading.known.keys();
  for (const name of doubtful) if (isMissing(name)) return true;
  return false;
};

/** To be noted when nothing of this kind is awaited. */
export const completed = (
  { complete }: Following,
  target: ResourceSnapshot,
  kind: ResourceKind,
): Complete => {
  const leader = LEADERS[kind];
  if (leader === undefined) return complete;
  const [leaders, followers] = [target.kinds[leader], target.kinds[kind]];
  const known = complete[kind];
  return known?.leaders === leaders && known.followers === followers
    ? complete
    : { ...complete, [kind]: { leaders, followers } };
};

/** What of it holds after a client's message: nothing once it gave up or refused something, or asked for leaders. */
export const stillComplete = (
  { complete, subscriptions }: Following,
  heard: { readonly kind: ResourceKind; readonly refusal?: string; readonly ask: Ask },
): Complete => {
  const { kind, refusal, ask } = heard;
  const { rejected } = subscriptions[kind];
  const mayAsk = LEADERS[kind] !== undefined && !ask.subscribe.some((name) => rejected.has(name));
  const isHarmless =
    refusal === undefined && ask.unsubscribe.length === 0 && (ask.subscribe.length === 0 || mayAsk);
  return isHarmless ? complete : {};
};
