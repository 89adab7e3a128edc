// What a tenant is made of, as resources: the one list that a new kind of resource joins. `servers/{id}` and
// `servers/{id}/versions/{version}` are not in it, because a server is two kinds at once.

/** Lists of a tenant whose items are a resource each, named `{prefix}/{id}`. */
export const TENANT_LISTS = [
  { field: 'issuers', prefix: 'issuers' },
  { field: 'grants', prefix: 'grants' },
  { field: 'publishers', prefix: 'publishers' },
  { field: 'killSwitches', prefix: 'kill-switches' },
] as const;

/** Resources of which a tenant has one or none. */
export const TENANT_SINGLES = [
  { field: 'adminIssuer', name: 'admin-issuer' },
  { field: 'policy', name: 'policy' },
  { field: 'hosts', name: 'hosts' },
] as const;

/** Fields of a tenant that are no settings: all others are, together, the resource `tenant`. */
const NO_SETTINGS: ReadonlySet<string> = new Set([
  'id',
  'revision',
  'servers',
  ...TENANT_LISTS.map(({ field }) => field),
  ...TENANT_SINGLES.map(({ field }) => field),
]);

/** The settings among the fields of a tenant. */
export const settingsIn = (tenant: object): object =>
  Object.fromEntries(Object.entries(tenant).filter(([field]) => !NO_SETTINGS.has(field)));
