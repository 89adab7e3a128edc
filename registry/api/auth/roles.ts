// Who may do what: one table of what routes ask for and the roles that have it. A role names its tenant, so none
// reaches into another; whose tokens it came from was judged before (admin-trusts.ts).

/** Roles within one tenant. In tokens of the deployment's admin issuer each is followed by `:{tenant}`. */
export const TENANT_ROLES = ['admin', 'operator', 'auditor', 'publisher', 'approver'] as const;
export type TenantRole = (typeof TENANT_ROLES)[number];

/** Has every access, in every tenant. Only the statically configured admin issuer gives it. */
export const PLATFORM_ADMIN = 'platform-admin';

const ACCESS_OF_ROLES = {
  /** Servers, versions, manifests: what somebody who publishes has to see. */
  'read-servers': ['admin', 'operator', 'auditor', 'publisher'],
  /** Trying a manifest. Publishing one takes no role but a signature. */
  'dry-run': ['admin', 'publisher'],
  read: ['admin', 'operator', 'auditor'],
  write: ['admin'],
  operate: ['admin', 'operator'],
  audit: ['admin', 'auditor'],
  /** Calls that wait for a person, with what they carry: business, not operations. */
  'read-calls': ['admin', 'approver', 'auditor'],
  'decide-calls': ['admin', 'approver'],
} as const satisfies Readonly<Record<string, readonly TenantRole[]>>;

/** What a route asks for. `open` needs no token, `caller` any valid one, `platform` a platform-admin. */
export type Access = 'open' | 'caller' | 'platform' | keyof typeof ACCESS_OF_ROLES;

export type Caller = {
  /** Stable key of the person or program: goes into revisions and the audit. */
  readonly principal: string;
  /** `platform-admin`, or a tenant role and its tenant: `admin:acme`. */
  readonly roles: ReadonlySet<string>;
};

/** Roles of which one is needed, `platform-admin` last; empty if any caller will do. */
export const rolesFor = (access: Access, tenantId: string): readonly string[] => {
  if (access === 'open' || access === 'caller') return [];
  // A tenant route without a tenant is a mistake; `admin:` must not be the key to it.
  if (access === 'platform' || tenantId === '') return [PLATFORM_ADMIN];
  return [...ACCESS_OF_ROLES[access].map((role) => `${role}:${tenantId}`), PLATFORM_ADMIN];
};

/** Whether the caller holds one of the roles a route needs. */
export const isPermitted = (caller: Caller, access: Access, tenantId: string): boolean => {
  const needed = rolesFor(access, tenantId);
  return access === 'caller' || needed.some((role) => caller.roles.has(role));
};

/**
 * The roles that a token of a tenant's own admin issuer gives: those of that tenant, whether it names it or not.
 * Whatever else stands there, `platform-admin` above all, gives nothing.
 */
export const rolesWithin = (tenantId: string, claimed: readonly string[]): ReadonlySet<string> =>
  new Set(
    TENANT_ROLES.filter((role) => claimed.includes(role) || claimed.includes(`${role}:${tenantId}`)).map(
      (role) => `${role}:${tenantId}`,
    ),
  );

const NAMED_TENANT = new RegExp(`^(?:${ACCESS_OF_ROLES.read.join('|')}):(.+)$`);

/** Ids of the tenants the caller may read, whether or not they exist; `all` for a platform-admin. */
export const readableTenants = (caller: Caller): readonly string[] | 'all' => {
  if (caller.roles.has(PLATFORM_ADMIN)) return 'all';
  const named = [...caller.roles].flatMap((role) => NAMED_TENANT.exec(role)?.[1] ?? []);
  return [...new Set(named)].toSorted();
};
