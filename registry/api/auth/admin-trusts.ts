// Whose tokens administer what: the deployment's admin issuer everything, a tenant's own that tenant. A token leads to
// one trust or to none, by its issuer and audience; the keys of each are kept as long as it is trusted.

import type { JWTVerifyGetKey } from 'jose';
import type { AdminIssuers } from '#registry/api/auth/admin-issuers.ts';
import { rolesWithin } from '#registry/api/auth/roles.ts';
import { type CreateKeys, createKeyPool } from '#registry/remote-key-pool.ts';

export type AdminTrust = {
  readonly issuer: string;
  readonly audience: string;
  readonly rolesClaim: string;
  readonly getKey: JWTVerifyGetKey;
  /** What the roles of a token mean here. */
  readonly rolesOf: (claimed: readonly string[]) => ReadonlySet<string>;
};

/** What a token says of itself, before anything of it is believed. */
export type TokenOrigin = { readonly issuer: string; readonly audiences: readonly string[] };

export type PlatformTrust = Pick<AdminTrust, 'issuer' | 'audience' | 'getKey'>;

export type AdminTrusts = {
  /** The trust a token leads to. `ambiguous`: to more than one, so to none. */
  find(origin: TokenOrigin): Promise<AdminTrust | 'ambiguous' | undefined>;
  /** Who trusts this issuer for this audience already: `platform`, or the id of another tenant. */
  holderOf(origin: TokenOrigin, exceptTenant: string): Promise<string | undefined>;
  stop(): void;
};

type Match = { readonly issuer: string; readonly audience: string };

const leadsTo = ({ issuer, audiences }: TokenOrigin, trust: Match): boolean =>
  issuer === trust.issuer && audiences.includes(trust.audience);

/** The trusts of one registry. */
export const createAdminTrusts = (options: {
  readonly platform: PlatformTrust;
  readonly tenants: AdminIssuers;
  readonly createKeys: CreateKeys;
}): AdminTrusts => {
  const { platform, tenants } = options;
  const pool = createKeyPool(options.createKeys);
  const tenantsOf = async (origin: TokenOrigin) => {
    const all = await tenants.current();
    pool.keep(all.values());
    return [...all].filter(([, adminIssuer]) => leadsTo(origin, adminIssuer));
  };
  return {
    find: async (origin) => {
      // First and alone: no tenant's issuer may ever stand between a platform-admin and the registry.
      if (leadsTo(origin, platform))
        return { ...platform, rolesClaim: 'roles', rolesOf: (claimed) => new Set(claimed) };
      const [match, ...others] = await tenantsOf(origin);
      if (match === undefined) return undefined;
      if (others.length > 0) return 'ambiguous';
      const [tenantId, { issuer, audience, jwksUri, rolesClaim }] = match;
      const { getKey } = pool.keysOf({ issuer, jwksUri });
      return { issuer, audience, rolesClaim, getKey, rolesOf: (claimed) => rolesWithin(tenantId, claimed) };
    },
    holderOf: async (origin, exceptTenant) => {
      if (leadsTo(origin, platform)) return 'platform';
      return (await tenantsOf(origin)).find(([id]) => id !== exceptTenant)?.[0];
    },
    stop: () => pool.keep([]),
  };
};
