// What one Envoy wants, has, was sent and has refused of one kind of resource. A value with pure transitions; it
// knows nothing of messages, and of resources only their names and versions.

import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';
import { LayeredMap } from '#xds-server/stream/layered-map.ts';
import { ownReason } from '#xds-server/stream/nack.ts';

/**
 * `none`: never asked. `all`: everything, and some names beside (xDS protocol, "wildcard"); `isImplicit` while the
 * client has never named anything, not even the wildcard: only then do no names go on meaning everything.
 */
export type Interest =
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'all'; readonly names: ReadonlySet<string>; readonly isImplicit: boolean };

/** `resource` is absent where the client only claimed the version when it connected. */
export type Known = { readonly version: string; readonly resource?: Resource };

export type Rejection = { readonly version: string; readonly message: string; readonly tenantId?: string };

/** What one response carried. */
export type Sent = {
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
};

export type Subscription = {
  readonly interest: Interest;
  /** What the client has, as far as it said so. */
  readonly known: LayeredMap<Known>;
  /** Names asked for that must be answered although nothing changed. */
  readonly owed: ReadonlySet<string>;
  /** A wildcard is answered once even if there is nothing: Envoy waits for it when it starts. */
  readonly greeted: boolean;
  /** Nonce of the newest response; undefined before the first. */
  readonly lastNonce: string | undefined;
  /** Responses not answered yet, by nonce, in the order they were sent. */
  readonly inFlight: ReadonlyMap<string, Sent>;
  /** Resources refused together with others, to be told apart: next sent per tenant, then each by itself. */
  readonly suspected: ReadonlyMap<string, 'tenant' | 'alone'>;
  readonly rejected: ReadonlyMap<string, Rejection>;
  /**
   * Of this publication the client lacks nothing and has nothing too much, but for names it is owed an answer about. Of a
   * later one it then lacks only what changed since.
   */
  readonly agreed: Resources | undefined;
};

export type Ask = {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** The wildcard in `subscribe` is not the client's word: it named nothing at all. */
  readonly isImplicit?: boolean;
  /** Versions the client claims to hold from an earlier connection; heard in its first message only. */
  readonly held: Readonly<Record<string, string>>;
};

export const WILDCARD = '*';

export const NEW_SUBSCRIPTION: Subscription = {
  interest: { kind: 'none' },
  known: LayeredMap.of(),
  owed: new Set(),
  greeted: false,
  lastNonce: undefined,
  inFlight: new Map(),
  suspected: new Map(),
  rejected: new Map(),
  agreed: undefined,
};

const without = <V>(map: ReadonlyMap<string, V>, names: Iterable<string>): Map<string, V> => {
  const rest = new Map(map);
  for (const name of names) rest.delete(name);
  return rest;
};

const namesOf = (interest: Interest): ReadonlySet<string> =>
  interest.kind === 'none' ? new Set() : interest.names;

const interestAfter = (interest: Interest, ask: Ask): Interest => {
  const names = new Set(namesOf(interest));
  for (const name of ask.subscribe) names.add(name);
  for (const name of ask.unsubscribe) names.delete(name);
  const all =
    (interest.kind === 'all' || ask.subscribe.includes(WILDCARD)) && !ask.unsubscribe.includes(WILDCARD);
  names.delete(WILDCARD);
  if (!all) return { kind: 'named', names };
  const isImplicit =
    ask.isImplicit ?? (interest.kind === 'all' && interest.isImplicit && ask.subscribe.length === 0);
  return { kind: 'all', names, isImplicit };
};

export const isWanted = (interest: Interest, name: string): boolean =>
  interest.kind === 'all' || (interest.kind === 'named' && interest.names.has(name));

const knownAfter = (subscription: Subscription, interest: Interest, ask: Ask): LayeredMap<Known> => {
  if (subscription.interest.kind === 'none') {
    const claimed = Object.entries(ask.held).filter(([name]) => isWanted(interest, name));
    return LayeredMap.of(claimed.map(([name, version]) => [name, { version }]));
  }
  // Without a wildcard going or a name given up, nothing the client has becomes unwanted.
  if (ask.unsubscribe.length === 0) return subscription.known;
  return LayeredMap.of([...subscription.known].filter(([name]) => isWanted(interest, name)));
};

const owedAfter = (subscription: Subscription, interest: Interest, ask: Ask): Set<string> => {
  const before = namesOf(subscription.interest);
  const held = subscription.interest.kind === 'none' ? ask.held : {};
  const owed = new Set(subscription.owed);
  for (const name of ask.subscribe) if (!Object.hasOwn(held, name)) owed.add(name);
  for (const name of ask.unsubscribe) {
    if (interest.kind === 'all' && before.has(name)) owed.add(name);
    else owed.delete(name);
  }
  owed.delete(WILDCARD);
  return owed;
};

/**
 * The client asks for names or gives them up. Whatever it names is owed an answer, also what it had or refused: it may
 * have dropped it meanwhile. So is a name given up under a wildcard, which still covers it (xDS protocol, delta); one
 * it never asked for is not.
 */
export const asked = (subscription: Subscription, ask: Ask): Subscription => {
  const isFirst = subscription.interest.kind === 'none';
  if (!isFirst && ask.subscribe.length === 0 && ask.unsubscribe.length === 0) return subscription;
  const interest = interestAfter(subscription.interest, ask);
  const known = knownAfter(subscription, interest, ask);
  const rejected = without(subscription.rejected, ask.subscribe);
  const owed = owedAfter(subscription, interest, ask);
  // What a wildcard adds nobody is owed by name.
  const agreed = interest.kind === subscription.interest.kind ? subscription.agreed : undefined;
  return { ...subscription, interest, known, rejected, owed, agreed };
};

/** A response with this nonce is on its way. */
export const sent = (subscription: Subscription, nonce: string, response: Sent): Subscription => {
  const owed = new Set(subscription.owed);
  for (const { name } of response.resources) owed.delete(name);
  for (const name of response.removed) owed.delete(name);
  return {
    ...subscription,
    owed,
    greeted: true,
    lastNonce: nonce,
    inFlight: new Map([...subscription.inFlight, [nonce, response]]),
  };
};

/** A newer response than the one this nonce is of has been sent since. A client's first message has no such nonce. */
export const isOutdated = ({ lastNonce }: Subscription, nonce: string): boolean =>
  nonce !== '' && lastNonce !== undefined && nonce !== lastNonce;

/** The client took the response. A nonce of no response in flight is stale and changes nothing. */
export const acknowledged = (subscription: Subscription, nonce: string): Subscription => {
  const response = subscription.inFlight.get(nonce);
  if (response === undefined) return subscription;
  const settled = [...response.resources.map(({ name }) => name), ...response.removed];
  const known = subscription.known.changed({
    drop: response.removed,
    set: response.resources
      .filter(({ name }) => isWanted(subscription.interest, name))
      .map((resource) => [resource.name, { version: resource.version, resource }]),
  });
  return {
    ...subscription,
    known,
    inFlight: without(subscription.inFlight, [nonce]),
    suspected: without(subscription.suspected, settled),
  };
};

const rejectionOf = (resource: Resource | undefined, message: string): Rejection => ({
  version: resource?.version ?? '',
  message,
  ...(resource?.tenantId === undefined ? {} : { tenantId: resource.tenantId }),
});

const rejectionAmong = (resource: Resource, resources: readonly Resource[], message: string): Rejection => {
  const others = resources.filter(({ tenantId }) => tenantId !== resource.tenantId).map(({ name }) => name);
  return rejectionOf(resource, ownReason(message, resource.name, others));
};

/** The client refused these resources of a response: they are not sent again in this version. */
export const rejected = (
  subscription: Subscription,
  resources: readonly Resource[],
  message: string,
): Subscription => ({
  ...subscription,
  agreed: undefined,
  rejected: new Map([
    ...subscription.rejected,
    ...resources.map((resource) => [resource.name, rejectionAmong(resource, resources, message)] as const),
  ]),
});

/**
 * The client refused a response. One resource by itself is the culprit; of several nobody knows which, so they are
 * sent again in smaller companies. What it had it keeps.
 */
export const refused = (subscription: Subscription, nonce: string, message: string): Subscription => {
  const response = subscription.inFlight.get(nonce);
  if (response === undefined) return subscription;
  const { resources } = response;
  const rest = {
    ...subscription,
    agreed: undefined,
    // What is gone is not offered in another form: repeating a removal that was refused would never end.
    known: subscription.known.changed({ drop: response.removed, set: [] }),
    inFlight: without(subscription.inFlight, [nonce]),
  };
  if (resources.length <= 1) return rejected(rest, resources, message);
  const tenants = new Set(resources.map(({ tenantId }) => tenantId));
  const company = tenants.size > 1 ? 'tenant' : 'alone';
  const suspected = new Map(subscription.suspected);
  for (const { name } of resources) suspected.set(name, company);
  return { ...rest, suspected };
};

/** The client must get these again although it has them and does not ask. */
export const owing = (subscription: Subscription, names: readonly string[]): Subscription => {
  const wanted = names.filter((name) => isWanted(subscription.interest, name));
  return wanted.length === 0
    ? subscription
    : { ...subscription, owed: new Set([...subscription.owed, ...wanted]) };
};

/** Forgets refusals of versions that are no longer wanted: should one come back, it is worth another try. */
export const reconsidered = (subscription: Subscription, resources: Resources): Subscription => {
  const outdated = [...subscription.rejected].filter(
    ([name, rejection]) => resources.get(name)?.version !== rejection.version,
  );
  if (outdated.length === 0) return subscription;
  const names = outdated.map(([name]) => name);
  return { ...subscription, rejected: without(subscription.rejected, names) };
};

/** Of no publication: whatever there is of the resource is told again, also that it is gone. */
const UNSURE: Known = { version: '' };

/**
 * Gives up on answers that never came. A late one will be stale, but what they are of may have been taken all the same: a
 * client that was only slow must not keep what goes, or stay with what is taken back, in the meantime.
 */
export const expired = (subscription: Subscription): Subscription => {
  const { inFlight, known, interest } = subscription;
  if (inFlight.size === 0) return subscription;
  const unsure = [...inFlight.values()]
    .flatMap(({ resources, removed }) => [
      ...resources.map(({ name }) => name),
      ...removed.filter((name) => known.has(name)),
    ])
    .filter((name) => isWanted(interest, name));
  return {
    ...subscription,
    known: known.changed({ drop: [], set: unsure.map((name) => [name, UNSURE] as const) }),
    inFlight: new Map(),
    agreed: undefined,
  };
};
