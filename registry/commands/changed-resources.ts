// Which resources differ between two states of a tenant. What both share are the same objects, so the cost is that of
// the change, whatever the size of the tenant.

import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  type ResourceName,
  serverName,
  serverView,
  settingsOf,
  versionName,
} from '#registry/commands/resources.ts';
import { isSameJson } from '#registry/commands/same-json.ts';
import { TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

export type ChangedResource = {
  readonly name: ResourceName;
  /** Undefined: it was not there. */
  readonly before: object | undefined;
  /** Undefined: it is gone. */
  readonly after: object | undefined;
};

type Pair<T> = { readonly key: string; readonly before: T | undefined; readonly after: T | undefined };

/** Items of two lists by key, without those that are one object in both. */
const pairUnlike = <T extends object>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): readonly Pair<T>[] => {
  if (before === after) return [];
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const pairs: Pair<T>[] = [];
  for (const item of after) {
    const key = keyOf(item);
    const known = old.get(key);
    old.delete(key);
    if (known !== item) pairs.push({ key, before: known, after: item });
  }
  return [...pairs, ...[...old].map(([key, item]) => ({ key, before: item, after: undefined }))];
};

const viewOf = (server: McpServer | undefined): object | undefined =>
  server === undefined ? undefined : serverView(server);

const serverResources = ({ key, before, after }: Pair<McpServer>): readonly ChangedResource[] => [
  { name: serverName(key), before: viewOf(before), after: viewOf(after) },
  ...pairUnlike(before?.versions ?? [], after?.versions ?? [], ({ version }) => version).map((pair) => ({
    ...pair,
    name: versionName(key, pair.key),
  })),
];

const byId = ({ id }: { readonly id: string }): string => id;

const ofTenant = (before: Tenant | undefined, after: Tenant): readonly ChangedResource[] => [
  { name: 'tenant', before: before === undefined ? undefined : settingsOf(before), after: settingsOf(after) },
  ...TENANT_SINGLES.map(({ field, name }) => ({ name, before: before?.[field], after: after[field] })),
];

/** Every resource that is not the same in both, in no particular order; `before` is undefined for a new tenant. */
export const changedResources = (before: Tenant | undefined, after: Tenant): readonly ChangedResource[] =>
  [
    ...ofTenant(before, after),
    ...TENANT_LISTS.flatMap(({ field, prefix }) =>
      pairUnlike<{ readonly id: string }>(before?.[field] ?? [], after[field], byId).map((pair) => ({
        ...pair,
        name: `${prefix}/${pair.key}`,
      })),
    ),
    ...pairUnlike(before?.servers ?? [], after.servers, byId).flatMap(serverResources),
  ]
    .filter((pair) => !isSameJson(pair.before, pair.after))
    .map(({ name, before: old, after: current }) => ({ name, before: old, after: current }));
