// One packed resource, and all of them at one sequence.

import { type PackedAny, packMessage } from '#protos/pack.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { RouteParts } from '#xds-server/snapshot/pack-routes.ts';
import { versionOf } from '#xds-server/snapshot/version.ts';

export type Resource = {
  readonly name: string;
  readonly version: string;
  readonly any: PackedAny;
  /** Absent: belongs to no tenant. */
  readonly tenantId?: string;
  /** Name of the resource of the next kind that this one is of no use without: a scope's routes. */
  readonly needs?: string;
  /** Of a tenant's routes: what they were put together from, for nodes that see some of its servers. */
  readonly parts?: RouteParts;
  /** Of the listener: what Envoys get in its place that ask for clusters one by one. */
  readonly onDemand?: Resource;
  /** Says only that nothing is known yet: not sent to an Envoy that has anything older of that name. */
  readonly isPlaceholder: boolean;
};

export type Resources = ReadonlyMap<string, Resource>;

/** What Envoys are to have: an immutable value, replaced whole. */
export type ResourceSnapshot = {
  readonly sequence: number;
  readonly kinds: Readonly<Record<ResourceKind, Resources>>;
  /** For Envoys that ask for a cluster when they need it: they may never ask for any. */
  readonly clustersOnDemand?: true;
};

type ResourceFacts = Partial<Omit<Resource, 'name' | 'version' | 'any'>>;

/** A message packed before, under its name. */
export const resourceOf = (name: string, any: PackedAny, facts: ResourceFacts = {}): Resource => ({
  isPlaceholder: false,
  ...facts,
  name,
  version: versionOf(any.value),
  any,
});

/**
 * Packs a message under its name.
 * @throws GatewayError `codec_failed` if it is not a valid message of its type.
 */
export const packResource = (name: string, message: TypedMessage, facts: ResourceFacts = {}): Resource =>
  resourceOf(name, packMessage(message), facts);

/** The resource as it was where packing it again changed nothing: what is the same is known by identity. */
export const unchanged = (before: Resource | undefined, now: Resource): Resource =>
  before !== undefined &&
  before.version === now.version &&
  before.isPlaceholder === now.isPlaceholder &&
  before.needs === now.needs
    ? before
    : now;
