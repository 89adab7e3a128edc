// One Envoy's side of ADS as a state machine: what it asked for, what it is to have, what may be told next. Pure: the
// gRPC handler only moves messages in and out. Delta and state-of-the-world streams share it and differ in how a
// response is filled.

import { forEachKind, isWildcardKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { ADDITIONS, REMOVALS } from '#xds-server/snapshot/sequence.ts';
import { additionBatches, difference, firstBatches, isNothing } from '#xds-server/stream/diff.ts';
import { awaits, type Complete, completed, stillComplete } from '#xds-server/stream/followers.ts';
import { fullState, suspectsOf } from '#xds-server/stream/full-state.ts';
import {
  type Ask,
  acknowledged,
  asked,
  expired,
  isOutdated,
  NEW_SUBSCRIPTION,
  owing,
  reconsidered,
  refused,
  rejected,
  type Sent,
  type Subscription,
  sent,
} from '#xds-server/stream/subscription.ts';

export type Protocol = 'delta' | 'sotw';

export type Conversation = {
  readonly protocol: Protocol;
  /** Undefined until there is a snapshot: an empty world would make Envoy forget the one it has. */
  readonly target: ResourceSnapshot | undefined;
  readonly subscriptions: Readonly<Record<ResourceKind, Subscription>>;
  /** Begins every nonce, and is no other stream's: an answer to an earlier connection's response is none to ours. */
  readonly nonces: string;
  readonly nextNonce: number;
  /** Sequence of which everything that was not refused has been acknowledged; -1 for none. */
  readonly settledSequence: number;
  /** Waiting for endpoints or routes to be asked for took too long; go on without. */
  readonly impatient: boolean;
  /**
   * Publication the client has parts of from an earlier connection, for as long as ours is older: until then nothing is
   * told, because it would take Envoy back. -1 for none.
   */
  readonly ahead: number;
  /** Where nothing was waited for, so that only what has changed since need be asked about. */
  readonly complete: Complete;
};

/** A client's message: an ask, and the answer to an earlier response. */
export type Heard = {
  readonly kind: ResourceKind;
  /** Empty in the first message of a kind. */
  readonly nonce: string;
  /** Set if the response was refused. */
  readonly refusal?: string;
  readonly ask: Ask;
  /** Publication that something the client holds from an earlier connection came with; absent if it tells of none. */
  readonly heldSequence?: number;
};

/** A response to be sent. */
export type Told = Sent & { readonly kind: ResourceKind; readonly nonce: string; readonly sequence: number };

type Step = { readonly conversation: Conversation; readonly told: readonly Told[] };

/** @param nonces what no other stream's nonces begin with. */
export const openConversation = (protocol: Protocol, nonces = ''): Conversation => ({
  protocol,
  nonces,
  target: undefined,
  subscriptions: forEachKind(() => NEW_SUBSCRIPTION),
  nextNonce: 1,
  settledSequence: -1,
  impatient: false,
  ahead: -1,
  complete: {},
});

const withKind = (
  conversation: Conversation,
  kind: ResourceKind,
  subscription: Subscription,
): Conversation => ({
  ...conversation,
  subscriptions: { ...conversation.subscriptions, [kind]: subscription },
});

/** A response that lacks a resource takes it away from the client (xDS protocol, "deleting resources", SotW). */
const isFullState = ({ protocol }: Conversation, kind: ResourceKind): boolean =>
  protocol === 'sotw' && isWildcardKind(kind);

/** Full-state responses cannot be cut smaller to find the culprit, so Envoy's text has to name it. */
const heardRefusal = (conversation: Conversation, heard: Heard, refusal: string): Subscription => {
  const subscription = conversation.subscriptions[heard.kind];
  const response = subscription.inFlight.get(heard.nonce);
  if (response === undefined || !isFullState(conversation, heard.kind))
    return refused(subscription, heard.nonce, refusal);
  const suspects = suspectsOf(subscription, response, refusal);
  // Nothing of it can be held back, so it would be repeated as it is, for ever.
  if (suspects.length === 0) return acknowledged(subscription, heard.nonce);
  return rejected({ ...subscription, inFlight: new Map() }, suspects, refusal);
};

const heardAnswer = (conversation: Conversation, heard: Heard): Conversation => {
  const { kind, nonce, refusal } = heard;
  if (nonce === '') return conversation;
  if (refusal !== undefined) return withKind(conversation, kind, heardRefusal(conversation, heard, refusal));
  return withKind(conversation, kind, acknowledged(conversation.subscriptions[kind], nonce));
};

/** Once we are as far, it counts no more: should the registry go back later, the client goes with it. */
const aheadOf = (target: ResourceSnapshot | undefined, claimed: number): number =>
  target !== undefined && target.sequence >= claimed ? -1 : claimed;

/**
 * Takes in a client's message. One that answers an outdated response says nothing in the state of the world, where the
 * next one repeats all names; in delta its names must be heard, for they come only once.
 */
export const hear = (conversation: Conversation, heard: Heard): Conversation => {
  const isLate = isOutdated(conversation.subscriptions[heard.kind], heard.nonce);
  if (conversation.protocol === 'sotw' && isLate) return conversation;
  const complete = stillComplete(conversation, heard);
  const claimed = Math.max(conversation.ahead, heard.heldSequence ?? -1);
  const ahead = aheadOf(conversation.target, claimed);
  const answered = heardAnswer({ ...conversation, complete, ahead }, heard);
  return withKind(answered, heard.kind, asked(answered.subscriptions[heard.kind], heard.ask));
};

/** There is a newer world. */
export const retarget = (conversation: Conversation, target: ResourceSnapshot): Conversation => ({
  ...conversation,
  target,
  ahead: aheadOf(target, conversation.ahead),
  impatient: false,
  subscriptions: forEachKind((kind) => reconsidered(conversation.subscriptions[kind], target.kinds[kind])),
});

/** The client has newer things than we could tell it, from another process or an earlier life of this one. */
export const isBehind = ({ target, ahead }: Conversation): boolean =>
  target !== undefined && target.sequence < ahead;

/** What the client has is of a world that there is no more: ours counts, though it came before. */
export const overrule = (conversation: Conversation): Conversation => ({ ...conversation, ahead: -1 });

/** Nothing was heard for too long: what is in flight is given up, what is waited for is not waited for. */
export const loseHope = (conversation: Conversation): Conversation => ({
  ...conversation,
  impatient: true,
  complete: {},
  subscriptions: forEachKind((kind) => expired(conversation.subscriptions[kind])),
});

/**
 * A changed cluster is warmed until its endpoints come again, even if they are the same, and Envoy does not ask for
 * them: it has a subscription already.
 */
const rewarm = (conversation: Conversation, batches: readonly Sent[]): Conversation => {
  const { cluster, endpoint } = conversation.subscriptions;
  const changed = batches
    .flatMap(({ resources }) => resources)
    .filter(({ name, version }) => {
      const known = cluster.known.get(name);
      return known !== undefined && known.version !== version;
    });
  const names = changed.map(({ name }) => name);
  return withKind(conversation, 'endpoint', owing(endpoint, names));
};

const tell = (conversation: Conversation, kind: ResourceKind, batches: readonly Sent[]): Step => {
  if (batches.length === 0) return { conversation, told: [] };
  let current = kind === 'cluster' ? rewarm(conversation, batches) : conversation;
  const told: Told[] = [];
  for (const batch of batches) {
    const nonce = `${current.nonces}${current.nextNonce}`;
    told.push({ ...batch, kind, nonce, sequence: conversation.target?.sequence ?? 0 });
    const subscription = sent(current.subscriptions[kind], nonce, batch);
    const owed = isFullState(conversation, kind) ? new Set<string>() : subscription.owed;
    current = { ...withKind(current, kind, { ...subscription, owed }), nextNonce: current.nextNonce + 1 };
  }
  return { conversation: current, told };
};

const additionsOf = (
  conversation: Conversation,
  target: ResourceSnapshot,
  kind: ResourceKind,
): readonly Sent[] => {
  const subscription = conversation.subscriptions[kind];
  const batches = additionBatches(kind, subscription, difference(subscription, target.kinds[kind]));
  if (conversation.protocol === 'delta' || batches.length === 0) return firstBatches(batches);
  if (isFullState(conversation, kind)) return [fullState(subscription, target.kinds[kind], 'keep-gone')];
  // State-of-the-world acknowledgements may be merged by the client, so one response at a time.
  return batches.filter(({ resources }) => resources.length > 0).slice(0, 1);
};

const removalsOf = (
  conversation: Conversation,
  target: ResourceSnapshot,
  kind: ResourceKind,
): readonly Sent[] => {
  const subscription = conversation.subscriptions[kind];
  const { removals } = difference(subscription, target.kinds[kind]);
  if (removals.length === 0) return [];
  if (isFullState(conversation, kind)) return [fullState(subscription, target.kinds[kind], 'drop-gone')];
  // In the state of the world there is no word for it: what nothing refers to any more is dropped.
  return conversation.protocol === 'sotw' ? [] : [{ resources: [], removed: removals }];
};

/** Told together, see `warmUp`. */
const WARMED_KINDS: ReadonlySet<ResourceKind> = new Set(['cluster', 'secret', 'endpoint']);

const isBusy = (conversation: Conversation, kind: ResourceKind): boolean =>
  conversation.subscriptions[kind].inFlight.size > 0;

/** Notes what the client has come to agree with, so that only what changes from here on need be compared. */
const noteAgreement = (
  conversation: Conversation,
  target: ResourceSnapshot,
  kind: ResourceKind,
): Conversation => {
  const [subscription, agreed] = [conversation.subscriptions[kind], target.kinds[kind]];
  if (subscription.agreed === agreed || !isNothing(difference(subscription, agreed))) return conversation;
  return withKind(conversation, kind, { ...subscription, agreed });
};

const additionStep = (conversation: Conversation, target: ResourceSnapshot, kind: ResourceKind): Step => {
  if (isBusy(conversation, kind)) return { conversation, told: [] };
  const current = noteAgreement(conversation, target, kind);
  return tell(current, kind, additionsOf(current, target, kind));
};

/**
 * Clusters, their secrets and their endpoints in one go: Envoy answers for clusters only once they are warm, which takes
 * the others.
 */
const warmUp = (conversation: Conversation, target: ResourceSnapshot): Step => {
  const clusters = additionStep(conversation, target, 'cluster');
  const secrets = additionStep(clusters.conversation, target, 'secret');
  const endpoints = additionStep(secrets.conversation, target, 'endpoint');
  const told = [...clusters.told, ...secrets.told, ...endpoints.told];
  return { conversation: endpoints.conversation, told };
};

const isSettling = (conversation: Conversation, target: ResourceSnapshot, kind: ResourceKind): boolean =>
  isBusy(conversation, kind) || (!conversation.impatient && awaits(conversation, target, kind));

/** Notes that nothing of the kind is waited for. */
const noteComplete = (step: Step, target: ResourceSnapshot, kind: ResourceKind): Step => {
  const { conversation } = step;
  const complete = conversation.impatient ? {} : completed(conversation, target, kind);
  return complete === conversation.complete ? step : { ...step, conversation: { ...conversation, complete } };
};

/** An Envoy that starts asks for one kind after another; having been told what it asked for so far is not all. */
const hasAskedForAll = ({ subscriptions, impatient, target }: Conversation): boolean =>
  impatient ||
  ADDITIONS.every(
    (kind) =>
      !isWildcardKind(kind) ||
      subscriptions[kind].interest.kind !== 'none' ||
      (kind === 'cluster' && target?.clustersOnDemand === true),
  );

/** Says what may be said now: the first kind that lacks something, once all kinds before it are answered. */
export const proceed = (conversation: Conversation): Step => {
  const { target } = conversation;
  if (target === undefined || isBehind(conversation)) return { conversation, told: [] };
  let step = warmUp(conversation, target);
  for (const kind of ADDITIONS) {
    if (!WARMED_KINDS.has(kind)) step = additionStep(step.conversation, target, kind);
    if (step.told.length > 0 || isSettling(step.conversation, target, kind)) return step;
    step = noteComplete(step, target, kind);
  }
  for (const kind of REMOVALS) {
    const batches = removalsOf(step.conversation, target, kind);
    if (batches.length > 0) return tell(step.conversation, kind, batches);
  }
  return hasAskedForAll(step.conversation)
    ? { conversation: { ...step.conversation, settledSequence: target.sequence }, told: [] }
    : step;
};

/** True while an answer is outstanding. */
export const isWaiting = (conversation: Conversation): boolean =>
  conversation.target !== undefined && conversation.settledSequence !== conversation.target.sequence;
