// What a tenant would change for Envoys, were it as it is asked about: the translation of every publication, held
// against what is served, and nothing published. Pure.

import { type EnvoyPreview, type EnvoyTypeEffect, MAX_PREVIEW_NAMES } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import type { Resource, ResourceSnapshot, Resources } from '#xds-server/snapshot/resource.ts';
import { refreshServed } from '#xds-server/snapshot/served-tenant.ts';

/** Longest text of a fault, characters. */
const MAX_FAULT = 1_000;

export type PreviewBasis = {
  /** Undefined: nothing is served yet. */
  readonly served: ResourceSnapshot | undefined;
  readonly settings: GatewaySettings;
  readonly facts: Facts;
};

type Names = Omit<EnvoyTypeEffect, 'typeUrl'>;

const versionsOf = (resources: Iterable<Resource>): ReadonlyMap<string, string> =>
  new Map([...resources].map(({ name, version }) => [name, version]));

const ownIn = (resources: Resources | undefined, tenantId: string): readonly Resource[] =>
  [...(resources?.values() ?? [])].filter((resource) => resource.tenantId === tenantId);

const compare = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Names => ({
  added: [...after.keys()].filter((name) => !before.has(name)).toSorted(),
  changed: [...after]
    .filter(([name, version]) => before.has(name) && before.get(name) !== version)
    .map(([name]) => name)
    .toSorted(),
  removed: [...before.keys()].filter((name) => !after.has(name)).toSorted(),
});

/** As many names as may be told, in the order of kinds; the rest is counted. */
const cut = (effects: readonly EnvoyTypeEffect[]) => {
  let left = MAX_PREVIEW_NAMES;
  let omitted = 0;
  const take = (names: readonly string[]): readonly string[] => {
    const taken = names.slice(0, left);
    left -= taken.length;
    omitted += names.length - taken.length;
    return taken;
  };
  const types = effects.map(({ typeUrl, added, changed, removed }) => ({
    typeUrl,
    added: take(added),
    changed: take(changed),
    removed: take(removed),
  }));
  return { types, omitted };
};

/** The effect of a tenant on what is served, or why it could not be served. */
export const previewTenant = (tenant: Tenant, basis: PreviewBasis): EnvoyPreview => {
  const { served } = basis;
  const sequence = served?.sequence ?? 0;
  const { cached, resources: after } = refreshServed(tenant, undefined, basis);
  const { fault } = cached;
  if (fault !== undefined) return { kind: 'fault', sequence, fault: fault.slice(0, MAX_FAULT) };
  const effects = RESOURCE_KINDS.map((kind) => ({
    typeUrl: TYPE_URLS[kind],
    ...compare(versionsOf(ownIn(served?.kinds[kind], tenant.id)), versionsOf(after[kind] ?? [])),
  })).filter(({ added, changed, removed }) => added.length + changed.length + removed.length > 0);
  return { kind: 'effect', sequence, ...cut(effects) };
};
