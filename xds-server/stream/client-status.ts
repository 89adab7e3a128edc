// What one client is to have of every resource and what it said of it, resource by resource: the facts behind CSDS and
// the registry's view of a node. Names, versions and words only; no resource's content is in it, so no secret's. Pure.

import { RESOURCE_KINDS, type ResourceKind, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { Resource } from '#xds-server/snapshot/resource.ts';
import type { Conversation, Protocol } from '#xds-server/stream/conversation.ts';
import { isWanted, type Known, type Subscription } from '#xds-server/stream/subscription.ts';

/** envoy.service.status.v3.ConfigStatus: how far the server has come with it. */
export type ConfigStatus = 'SYNCED' | 'NOT_SENT' | 'STALE' | 'ERROR';

/** envoy.admin.v3.ClientResourceStatus: how far the client has come with it, as far as it said so. */
export type ClientResourceStatus = 'REQUESTED' | 'DOES_NOT_EXIST' | 'ACKED' | 'NACKED';

export type ResourceStatus = {
  readonly kind: ResourceKind;
  readonly typeUrl: string;
  readonly name: string;
  /** Version the client is to have; absent: none, because it does not exist or is to go. */
  readonly wantedVersion?: string;
  /** Version the client acknowledged, or claimed when it connected; absent: none. */
  readonly held?: { readonly version: string; readonly by: 'acknowledged' | 'claimed' };
  readonly configStatus: ConfigStatus;
  readonly clientStatus: ClientResourceStatus;
  /** Set while the wanted version is one the client refused; the text is redacted. */
  readonly error?: { readonly version: string; readonly message: string; readonly tenantId?: string };
};

export type ClientStatus = {
  readonly protocol: Protocol;
  /** Sequence the client is being brought to; -1 while there is nothing to tell. */
  readonly wantedSequence: number;
  /** Sequence of which the client has answered for everything; -1 for none. */
  readonly acknowledgedSequence: number;
  /** By kind in the order of RESOURCE_KINDS, then by name. */
  readonly resources: readonly ResourceStatus[];
};

/** What is under way to the client, by name; a removal has no version. */
const underWay = ({ inFlight }: Subscription): ReadonlyMap<string, string | undefined> => {
  const versions = new Map<string, string | undefined>();
  for (const { resources, removed } of inFlight.values()) {
    for (const { name, version } of resources) versions.set(name, version);
    for (const name of removed) versions.set(name, undefined);
  }
  return versions;
};

/** Names the client has, is to have, or asked for in vain. */
const namesOf = (subscription: Subscription, target: ReadonlyMap<string, Resource>): string[] => {
  const { interest, known } = subscription;
  const asked = interest.kind === 'none' ? [] : [...interest.names];
  const offered = interest.kind === 'all' ? target.keys() : [];
  return [...new Set([...offered, ...asked, ...known.keys()])].sort();
};

const heldOf = ({ version, resource }: Known) =>
  ({ version, by: resource === undefined ? 'claimed' : 'acknowledged' }) as const;

const clientStatusOf = (facts: {
  readonly wanted: string | undefined;
  readonly held: string | undefined;
  readonly isRefused: boolean;
}): ClientResourceStatus => {
  if (facts.isRefused) return 'NACKED';
  if (facts.held !== undefined) return 'ACKED';
  return facts.wanted === undefined ? 'DOES_NOT_EXIST' : 'REQUESTED';
};

const configStatusOf = (facts: {
  readonly wanted: string | undefined;
  readonly held: string | undefined;
  readonly isRefused: boolean;
  readonly isUnderWay: boolean;
}): ConfigStatus => {
  if (facts.isRefused) return 'ERROR';
  if (facts.isUnderWay) return 'STALE';
  return facts.wanted === facts.held ? 'SYNCED' : 'NOT_SENT';
};

const statusOf = (
  kind: ResourceKind,
  subscription: Subscription,
  target: ReadonlyMap<string, Resource>,
): readonly ResourceStatus[] => {
  const moving = underWay(subscription);
  return namesOf(subscription, target).map((name): ResourceStatus => {
    const wanted = isWanted(subscription.interest, name) ? target.get(name)?.version : undefined;
    const known = subscription.known.get(name);
    const held = known?.version;
    const rejection = subscription.rejected.get(name);
    const error = rejection !== undefined && rejection.version === wanted ? rejection : undefined;
    const facts = { wanted, held, isRefused: error !== undefined, isUnderWay: moving.has(name) };
    return {
      kind,
      typeUrl: TYPE_URLS[kind],
      name,
      ...(wanted === undefined ? {} : { wantedVersion: wanted }),
      ...(known === undefined ? {} : { held: heldOf(known) }),
      configStatus: configStatusOf(facts),
      clientStatus: clientStatusOf(facts),
      ...(error === undefined ? {} : { error }),
    };
  });
};

/** Everything one client asked for, has, or is to have. */
export const clientStatus = ({
  protocol,
  target,
  settledSequence,
  subscriptions,
}: Conversation): ClientStatus => ({
  protocol,
  wantedSequence: target?.sequence ?? -1,
  acknowledgedSequence: settledSequence,
  resources: RESOURCE_KINDS.flatMap((kind) =>
    statusOf(kind, subscriptions[kind], target?.kinds[kind] ?? new Map()),
  ),
});
