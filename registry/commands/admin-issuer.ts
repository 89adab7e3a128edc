// Gives a tenant an admin issuer of its own, or takes it away.

import type { AdminIssuer } from '#core/admin-issuer.ts';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { judgeIssuerText } from '#registry/commands/issuer.ts';
import { type CheckUrl, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { ADMIN_ISSUER_NAME } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** The tenant with this admin issuer, in the place of the one it had. */
export const putAdminIssuer = (before: Tenant, adminIssuer: AdminIssuer, checkUrl: CheckUrl): Outcome => {
  const checked = checkUrl(adminIssuer.jwksUri);
  return settle({
    before,
    after: { ...before, adminIssuer },
    resource: ADMIN_ISSUER_NAME,
    faults: [
      ...judgeIssuerText(adminIssuer),
      ...(checked.ok ? [] : [{ pointer: '/jwksUri', message: checked.error }]),
    ],
  });
};

/** The tenant without an admin issuer of its own. */
export const removeAdminIssuer = (before: Tenant): Outcome => {
  const { adminIssuer, ...after } = before;
  return adminIssuer === undefined
    ? err(notFound('the admin issuer'))
    : settle({ before, after, resource: ADMIN_ISSUER_NAME });
};
