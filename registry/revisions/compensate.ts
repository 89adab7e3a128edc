// Takes back what one revision changed, resource by resource, where nobody has touched it since. What protects stays:
// switches, keys, issuers, and access that was taken away. Pure.

import type { Grant } from '#core/grant.ts';
import { ok, type Result } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import type { McpServer } from '#core/server.ts';
import { findServer, type Tenant, type TenantSettings } from '#core/tenant.ts';
import type { Refusal } from '#registry/commands/outcome.ts';
import {
  grantName,
  type ResourceName,
  resourcesOf,
  serverName,
  settingsOf,
} from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';
import { accessChange } from '#registry/revisions/access-change.ts';
import { loosenedServerGuard, loosenedTenantGuard } from '#registry/revisions/loosened-guard.ts';
import { keepWithdrawn } from '#registry/revisions/restored-traffic.ts';

/** A revision: its number, the tenant before it and after it. */
export type Undone = { readonly number: number; readonly before: Tenant; readonly after: Tenant };

export type Present = { readonly tenant: Tenant; readonly stamps: Readonly<Record<ResourceName, number>> };

export type Kept = { readonly resource: ResourceName; readonly because: 'touched-since' | 'protected' };

export type Compensated = {
  readonly tenant: Tenant;
  readonly changes: readonly string[];
  /** What is as it was before the revision. */
  readonly restored: readonly ResourceName[];
  /** What the revision changed and is left as it is. */
  readonly kept: readonly Kept[];
};

type Changed = {
  readonly names: readonly ResourceName[];
  readonly isFree: (name: ResourceName) => boolean;
};

/** Names in which two states of a tenant differ, sorted. */
export const changedNames = (before: Tenant, after: Tenant): readonly ResourceName[] => {
  const [old, current] = [resourcesOf(before), resourcesOf(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => !isSameJson(old.get(name), current.get(name)))
    .toSorted();
};

/** Untouched: it still is what the revision made of it, or still is not there. */
const changedBy = ({ number, before, after }: Undone, { stamps }: Present): Changed => {
  const names = changedNames(before, after);
  const made = resourcesOf(after);
  const free = new Set(names.filter((name) => stamps[name] === (made.has(name) ? number : undefined)));
  return { names, isFree: (name) => free.has(name) };
};

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);

type Guarded<T> = { readonly responseGuard?: T };

const withGuardOf = <T, W extends Guarded<T>>(whole: W, { responseGuard }: Guarded<T>): W => {
  const { responseGuard: _own, ...rest } = whole;
  return { ...rest, ...(responseGuard === undefined ? {} : { responseGuard }) } as W;
};

/** The settings of then, without a guard that lets through what the one of now does not. */
const guardedSettings = (past: TenantSettings, current: Tenant): TenantSettings =>
  loosenedTenantGuard(current, past).length > 0 ? withGuardOf(past, current) : past;

const guardedServer = (tenant: TenantSettings, past: McpServer, current: McpServer | undefined): McpServer =>
  current !== undefined && loosenedServerGuard(tenant, current, past).length > 0
    ? withGuardOf(past, current)
    : past;

/** A published version stays, and what is switched off stays off; a server that was removed comes back switched off. */
const restoredServer = (past: McpServer, current: McpServer | undefined): McpServer => ({
  ...keepWithdrawn(past, current),
  enabled: past.enabled && (current?.enabled ?? false),
  versions: current?.versions ?? past.versions,
});

const restoredServers = (
  present: Tenant,
  settings: TenantSettings,
  { undone: { before }, changed: { isFree } }: { readonly undone: Undone; readonly changed: Changed },
): readonly McpServer[] => {
  const kept = present.servers.filter(({ id }) => !isFree(serverName(id)));
  const back = before.servers.filter(({ id }) => isFree(serverName(id)));
  const restored = back.map((server) => {
    const current = findServer(present, server.id);
    return guardedServer(settings, restoredServer(server, current), current);
  });
  return [...kept, ...restored].toSorted(byId);
};

const withGrant = (tenant: Tenant, grant: Grant): Tenant => ({
  ...tenant,
  grants: [...tenant.grants.filter(({ id }) => id !== grant.id), grant].toSorted(byId),
});

/** Grants that were made go; one that was cut or removed comes back only if nobody gains by it. */
const restoreGrants = (tenant: Tenant, { before }: Undone, { isFree }: Changed): Tenant => {
  const past = before.grants.filter(({ id }) => isFree(grantName(id)));
  const isMade = ({ id }: Grant): boolean => isFree(grantName(id)) && !past.some((grant) => grant.id === id);
  const start: Tenant = { ...tenant, grants: tenant.grants.filter((grant) => !isMade(grant)) };
  return past.reduce((current, grant) => {
    const next = withGrant(current, grant);
    return accessChange(current, next).gained.length === 0 ? next : current;
  }, start);
};

const takeBack = (present: Tenant, undone: Undone, changed: Changed): Tenant => {
  const names = Object.keys(settingsOf(present));
  const settings = guardedSettings(settingsOf(changed.isFree('tenant') ? undone.before : present), present);
  const owned = Object.fromEntries(Object.entries(present).filter(([field]) => !names.includes(field)));
  const tenant: Tenant = {
    ...(owned as Omit<Tenant, keyof TenantSettings>),
    ...settings,
    fourEyes: present.fourEyes || settings.fourEyes,
    servers: restoredServers(present, settings, { undone, changed }),
  };
  return restoreGrants(tenant, undone, changed);
};

/**
 * The tenant without what the revision changed. Empty `changes`: there is nothing that could be taken back.
 * @returns a conflict if what is left would not stand together.
 */
export const compensateRevision = (present: Present, undone: Undone): Result<Compensated, Refusal> => {
  const changed = changedBy(undone, present);
  const after = takeBack(present.tenant, undone, changed);
  const resource = `revisions/${undone.number}`;
  const settled = settle({ before: present.tenant, after, resource });
  if (!settled.ok) return settled;
  const [past, result] = [resourcesOf(undone.before), resourcesOf(after)];
  const isBack = (name: ResourceName): boolean => isSameJson(past.get(name), result.get(name));
  const kept = changed.names
    .filter((name) => !isBack(name))
    .map((name): Kept => ({ resource: name, because: changed.isFree(name) ? 'protected' : 'touched-since' }));
  return ok({ ...settled.value, restored: changed.names.filter(isBack), kept });
};
