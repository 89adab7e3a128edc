// A tenant put together from named resources, and brought forward by those that changed: the inverse of `resourcesOf`.
// Whatever did not change stays the same object. Knows the names' form and no store, no wire.

import { err, ok, type Result } from '#core/result.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { settingsIn, TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

/** One resource as it stands now; null: it is gone. */
export type ResourceState = { readonly name: string; readonly body: object | null };

type WithId = { readonly id: string };

/** A server as a resource: its versions by name. */
type ServerState = Omit<McpServer, 'versions'> & { readonly versions: readonly string[] };

type Touched = { view?: ServerState | null; readonly versions: Map<string, ServerVersion | null> };

const byId = (a: WithId, b: WithId): number => (a.id < b.id ? -1 : 1);

const replaceItems = (
  items: readonly WithId[],
  states: readonly (readonly [string, object | null])[],
): readonly WithId[] => {
  if (states.length === 0) return items;
  const byKey = new Map(items.map((item) => [item.id, item]));
  for (const [id, body] of states) {
    if (body === null) byKey.delete(id);
    else byKey.set(id, body as WithId);
  }
  return [...byKey.values()].toSorted(byId);
};

/** What is said of each server: `servers/{id}` and `servers/{id}/versions/{version}`. */
const groupByServer = (states: readonly ResourceState[]): ReadonlyMap<string, Touched> => {
  const groups = new Map<string, Touched>();
  for (const { name, body } of states) {
    const [list, id = '', , version] = name.split('/');
    if (list !== 'servers') continue;
    const touched: Touched = groups.get(id) ?? { versions: new Map() };
    groups.set(id, touched);
    if (version === undefined) touched.view = body as ServerState | null;
    else touched.versions.set(version, body as ServerVersion | null);
  }
  return groups;
};

const stateOf = (server: McpServer): ServerState => ({
  ...server,
  versions: server.versions.map(({ version }) => version),
});

/** The server after what is said of it; undefined where a version it names is nowhere. */
const rebuildServer = (server: McpServer | undefined, touched: Touched): McpServer | null | undefined => {
  const view = touched.view === undefined && server !== undefined ? stateOf(server) : touched.view;
  if (view === null) return null;
  if (view === undefined) return undefined;
  const known = new Map(server?.versions.map((version) => [version.version, version]));
  const versions = view.versions.map((name) => touched.versions.get(name) ?? known.get(name));
  return versions.every((version) => version !== undefined) ? { ...view, versions } : undefined;
};

const rebuildServers = (
  servers: readonly McpServer[],
  states: readonly ResourceState[],
): Result<readonly McpServer[], string> => {
  const groups = groupByServer(states);
  if (groups.size === 0) return ok(servers);
  const byKey = new Map(servers.map((server) => [server.id, server]));
  for (const [id, touched] of groups) {
    const server = rebuildServer(byKey.get(id), touched);
    if (server === undefined) return err(`servers/${id}`);
    if (server === null) byKey.delete(id);
    else byKey.set(id, server);
  }
  return ok([...byKey.values()].toSorted(byId));
};

const groupByList = (states: readonly ResourceState[]): ReadonlyMap<string, readonly ResourceState[]> =>
  Map.groupBy(states, ({ name }) => name.split('/')[0] ?? '');

/** Settings and what there is one of: what is said of them, or what they were. */
const rebuildSingles = (base: Tenant | undefined, states: readonly ResourceState[]): object | undefined => {
  const said = new Map(states.map(({ name, body }) => [name, body]));
  const settings = said.has('tenant') ? said.get('tenant') : base;
  if (settings === undefined || settings === null) return undefined;
  const singles = TENANT_SINGLES.map(({ field, name }) => [
    field,
    said.has(name) ? said.get(name) : base?.[field],
  ]);
  return {
    ...settingsIn(settings),
    ...Object.fromEntries(singles.filter(([, single]) => single !== undefined && single !== null)),
  };
};

const rebuildLists = (base: Tenant | undefined, states: readonly ResourceState[]): object => {
  const byList = groupByList(states);
  return Object.fromEntries(
    TENANT_LISTS.map(({ field, prefix }) => {
      const said = (byList.get(prefix) ?? []).map(
        ({ name, body }) => [name.slice(prefix.length + 1), body] as const,
      );
      return [field, replaceItems(base?.[field] ?? [], said)];
    }),
  );
};

/**
 * The tenant after `states`, which are complete: every resource that differs from `base`, each once.
 * @param base undefined: the tenant is put together from nothing.
 * @returns the tenant; or the name of a resource that is missing. Bodies are believed: judge them before.
 */
export const applyResources = (
  base: Tenant | undefined,
  { id, revision }: { readonly id: string; readonly revision: number },
  states: readonly ResourceState[],
): Result<Tenant, string> => {
  const singles = rebuildSingles(base, states);
  if (singles === undefined) return err('tenant');
  const servers = rebuildServers(base?.servers ?? [], states);
  if (!servers.ok) return servers;
  const lists = rebuildLists(base, states);
  return ok({ id, revision, ...singles, servers: servers.value, ...lists } as unknown as Tenant);
};
