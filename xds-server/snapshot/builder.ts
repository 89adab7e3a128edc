// Turns snapshots of the registry into snapshots of resources, remembering what it packed. Pure but for that memory:
// the same input gives the same output, sooner. A change costs what it changes; the rest is carried over as it is.

import type { Snapshot } from '#core/snapshot.ts';
import { forEachKind, RESOURCE_KINDS, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import { NO_HOSTED_SCOPES, refreshHostedScopes } from '#xds-server/snapshot/hosted-scopes.ts';
import {
  packResource,
  type Resource,
  type ResourceSnapshot,
  type Resources,
} from '#xds-server/snapshot/resource.ts';
import { changeResources } from '#xds-server/snapshot/resource-step.ts';
import { refreshServed, resourcesOf, type ServedTenant } from '#xds-server/snapshot/served-tenant.ts';
import { buildListener } from '#xds-server/translate/listeners.ts';
import { HOSTED_ROUTES, LISTENER_NAME, WELL_KNOWN_ROUTES } from '#xds-server/translate/names.ts';
import { buildHostedRoutes, buildWellKnownRoutes } from '#xds-server/translate/routes.ts';
import { buildWellKnownScope } from '#xds-server/translate/scoped-routes.ts';

export type TenantFault = { readonly tenantId: string; readonly message: string };

export type BuiltSnapshot = {
  readonly snapshot: ResourceSnapshot;
  /** Tenants whose present state could not be translated; they are served as they were. */
  readonly faults: readonly TenantFault[];
};

/** `facts` that are the same value as before say that nothing of it has changed. */
export type SnapshotBuilder = (snapshot: Snapshot, facts: Facts) => BuiltSnapshot;

/** By kind and name; undefined: gone. */
type Changes = Readonly<Record<ResourceKind, Map<string, Resource | undefined>>>;

const NOTHING: readonly Resource[] = [];

const noteKind = (
  changes: Map<string, Resource | undefined>,
  before: readonly Resource[],
  after: readonly Resource[],
): void => {
  if (before === after) return;
  const old = new Set(before);
  const names = new Set<string>();
  for (const resource of after) {
    names.add(resource.name);
    if (!old.has(resource)) changes.set(resource.name, resource);
  }
  for (const { name } of before) if (!names.has(name)) changes.set(name, undefined);
};

const note = (changes: Changes, before: ServedTenant | undefined, after: ServedTenant | undefined): void => {
  const [old, now] = [resourcesOf(before), resourcesOf(after)];
  for (const kind of RESOURCE_KINDS) noteKind(changes[kind], old[kind] ?? NOTHING, now[kind] ?? NOTHING);
};

const commonKinds = (settings: GatewaySettings): Readonly<Record<ResourceKind, Resources>> => {
  const common: Partial<Record<ResourceKind, readonly Resource[]>> = {
    listener: [
      packResource(LISTENER_NAME, buildListener(settings), {
        onDemand: packResource(LISTENER_NAME, buildListener(settings, 'on-demand')),
      }),
    ],
    scope: [packResource(WELL_KNOWN_ROUTES, buildWellKnownScope(), { needs: WELL_KNOWN_ROUTES })],
    route: [
      packResource(WELL_KNOWN_ROUTES, buildWellKnownRoutes()),
      packResource(HOSTED_ROUTES, buildHostedRoutes()),
    ],
  };
  return forEachKind((kind) => new Map((common[kind] ?? []).map((resource) => [resource.name, resource])));
};

/** A builder for one process. */
export const createSnapshotBuilder = (settings: GatewaySettings): SnapshotBuilder => {
  let kinds = commonKinds(settings);
  let tenants: ReadonlyMap<string, ServedTenant> = new Map();
  let hosted = NO_HOSTED_SCOPES;

  return (snapshot, facts) => {
    const changes: Changes = forEachKind(() => new Map());
    const next = new Map<string, ServedTenant>();
    for (const tenant of snapshot.tenants) {
      const before = tenants.get(tenant.id);
      const served = refreshServed(tenant, before, { settings, facts });
      next.set(tenant.id, served);
      if (served !== before) note(changes, before, served);
    }
    for (const [id, gone] of tenants) if (!next.has(id)) note(changes, gone, undefined);
    hosted = refreshHostedScopes(snapshot, hosted);
    for (const [name, scope] of hosted.changes) changes.scope.set(name, scope);
    const before = kinds;
    kinds = forEachKind((kind) => changeResources(before[kind], changes[kind]));
    tenants = next;
    const faults = [...next.values()].flatMap(({ cached: { tenant, fault } }) =>
      fault === undefined ? [] : [{ tenantId: tenant.id, message: fault }],
    );
    return { snapshot: { sequence: snapshot.sequence, kinds }, faults };
  };
};
