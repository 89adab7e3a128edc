// Which resources of two states of a tenant are not the same objects. A copy is brought forward without touching what
// did not change, so this finds what did at the cost of a walk over names, without reading a single tool. Pure.

import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { settingsIn, TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

export type UnlikeResource = {
  /** As in registry/commands/resources.ts. */
  readonly name: string;
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

/** A server as a resource: its versions by name. */
const viewOf = (server: McpServer | undefined): object | undefined =>
  server && { ...server, versions: server.versions.map(({ version }) => version) };

const serverResources = ({ key, before, after }: Pair<McpServer>): readonly UnlikeResource[] => [
  { name: `servers/${key}`, before: viewOf(before), after: viewOf(after) },
  ...pairUnlike(before?.versions ?? [], after?.versions ?? [], ({ version }) => version).map((pair) => ({
    name: `servers/${key}/versions/${pair.key}`,
    before: pair.before,
    after: pair.after,
  })),
];

const byId = ({ id }: { readonly id: string }): string => id;

const unlikeItems = (
  before: readonly { readonly id: string }[],
  after: readonly { readonly id: string }[],
  prefix: string,
): readonly UnlikeResource[] =>
  pairUnlike(before, after, byId).map(({ key, ...pair }) => ({ ...pair, name: `${prefix}/${key}` }));

/** Every resource that is not one object in both, in no particular order; settings always. @param before undefined for a new tenant */
export const unlikeResources = (before: Tenant | undefined, after: Tenant): readonly UnlikeResource[] => [
  { name: 'tenant', before: before && settingsIn(before), after: settingsIn(after) },
  ...TENANT_SINGLES.map(({ field, name }) => ({ name, before: before?.[field], after: after[field] })).filter(
    (pair) => pair.before !== pair.after,
  ),
  ...TENANT_LISTS.flatMap(({ field, prefix }) => unlikeItems(before?.[field] ?? [], after[field], prefix)),
  ...pairUnlike(before?.servers ?? [], after.servers, byId).flatMap(serverResources),
];
