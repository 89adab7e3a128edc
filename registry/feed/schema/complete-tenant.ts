// Tenants and resources that were written before a field of theirs existed: in the database, in its revisions, in a
// copy on disk, by a registry older than its consumers. They are completed wherever they are read, so nothing that was
// stored is rewritten and a revision stays what it was.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { TENANT_LISTS } from '#registry/feed/tenant-parts.ts';

/** What a tenant without the list means. Each must give nobody anything, or be as it was before there was such a thing. */
const LATER_LISTS: JsonObject = { publishers: [], killSwitches: [] };

/**
 * What a resource without the field means, by the first word of its name, or `versions` for those of a server:
 * `{ servers: { field: value } }`.
 */
const LATER_FIELDS: Readonly<Record<string, JsonObject>> = { tenant: { fourEyes: false } };

/** The same object where nothing is missing, so that what did not change stays what it was. */
const complete = (kind: string, stored: unknown): unknown => {
  const later = LATER_FIELDS[kind] ?? {};
  if (!isJsonObject(stored) || Object.keys(later).every((field) => Object.hasOwn(stored, field)))
    return stored;
  return { ...later, ...stored };
};

const kindOf = (name: string): string => {
  const [list = '', , versions] = name.split('/');
  return versions ?? list;
};

/** The resource of this name with fields that are younger than it. */
export const completeResource = (name: string, stored: unknown): unknown => complete(kindOf(name), stored);

const completeItems = (kind: string, items: unknown): unknown =>
  Array.isArray(items) ? items.map((item) => complete(kind, item)) : items;

const completeServer = (stored: unknown): unknown => {
  const server = complete('servers', stored);
  return isJsonObject(server) && 'versions' in server
    ? { ...server, versions: completeItems('versions', server['versions']) }
    : server;
};

/** A whole tenant with fields that are younger than it; anything that is no object is left for the schema to refuse. */
export const completeTenant = (stored: unknown): unknown => {
  if (!isJsonObject(stored)) return stored;
  const tenant: Record<string, unknown> = { ...LATER_LISTS, ...(complete('tenant', stored) as JsonObject) };
  const { servers } = tenant;
  if (Array.isArray(servers)) tenant['servers'] = servers.map(completeServer);
  for (const { field, prefix } of TENANT_LISTS) {
    if (field in tenant) tenant[field] = completeItems(prefix, tenant[field]);
  }
  return tenant;
};
