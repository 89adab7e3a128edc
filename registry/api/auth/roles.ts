// Who may do what. Roles come from the admin issuer's tokens; each names its tenant, so none reaches into another.

/** What a route asks for. `open` needs no token, `caller` any valid one. */
export type Access = 'open' | 'caller' | 'read' | 'write' | 'operate' | 'audit' | 'platform';

export type Caller = {
  /** Stable key of the person or program: goes into revisions and the audit. */
  readonly principal: string;
  readonly roles: ReadonlySet<string>;
};

const PLATFORM_ADMIN = 'platform-admin';

const TENANT_ROLES: Readonly<Record<'read' | 'write' | 'operate' | 'audit', readonly string[]>> = {
  read: ['admin', 'operator', 'auditor'],
  write: ['admin'],
  operate: ['admin', 'operator'],
  audit: ['admin', 'auditor'],
};

/** Roles of which one is needed, `platform-admin` last; empty if any caller will do. */
export const rolesFor = (access: Access, tenantId: string): readonly string[] => {
  if (access === 'open' || access === 'caller') return [];
  // A tenant route without a tenant is a mistake; `admin:` must not be the key to it.
  if (access === 'platform' || tenantId === '') return [PLATFORM_ADMIN];
  return [...TENANT_ROLES[access].map((role) => `${role}:${tenantId}`), PLATFORM_ADMIN];
};

/** Whether the caller holds one of the roles a route needs. */
export const isPermitted = (caller: Caller, access: Access, tenantId: string): boolean => {
  const needed = rolesFor(access, tenantId);
  return access === 'caller' || needed.some((role) => caller.roles.has(role));
};

const NAMED_TENANT = new RegExp(`^(?:${TENANT_ROLES.read.join('|')}):(.+)$`);

/** Ids of the tenants the caller may read, whether or not they exist; `all` for a platform-admin. */
export const readableTenants = (caller: Caller): readonly string[] | 'all' => {
  if (caller.roles.has(PLATFORM_ADMIN)) return 'all';
  const named = [...caller.roles].flatMap((role) => NAMED_TENANT.exec(role)?.[1] ?? []);
  return [...new Set(named)].toSorted();
};
