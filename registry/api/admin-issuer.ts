// /v1/tenants/{tenant}/admin-issuer: whose tokens administer a tenant beside those of the deployment's own.

import type { FastifyInstance } from 'fastify';
import type { AdminIssuer } from '#core/admin-issuer.ts';
import type { ApiContext } from '#registry/api/context.ts';
import type { Problem } from '#registry/api/problem.ts';
import { registerSingleResource } from '#registry/api/single-resource.ts';
import { putAdminIssuer, removeAdminIssuer } from '#registry/commands/admin-issuer.ts';
import { ADMIN_ISSUER_NAME } from '#registry/commands/resources.ts';
import { AdminIssuerSchema } from '#registry/feed/schema/admin-issuer-schema.ts';

/** A token that led to two tenants would lead to none, and lock both out. */
const judgeHolder = async (
  { adminTrusts }: ApiContext,
  tenantId: string,
  { issuer, audience }: AdminIssuer,
): Promise<Problem | undefined> => {
  const holder = await adminTrusts.holderOf({ issuer, audiences: [audience] }, tenantId);
  if (holder === undefined) return undefined;
  const whose = holder === 'platform' ? "the deployment's own" : `that of tenant ${holder}`;
  const message = `with this issuer it is ${whose}: each tenant needs an audience of its own`;
  return {
    status: 409,
    code: 'conflict',
    detail: 'Somebody else has this admin issuer.',
    errors: [{ pointer: '/audience', message }],
  };
};

export const registerAdminIssuer = (app: FastifyInstance, context: ApiContext): void =>
  registerSingleResource<AdminIssuer>(app, context, {
    path: 'admin-issuer',
    name: ADMIN_ISSUER_NAME,
    find: ({ adminIssuer }) => adminIssuer,
    schema: AdminIssuerSchema,
    tag: 'tenants',
    writeAccess: 'platform',
    summaries: {
      read: "Read a tenant's own admin issuer",
      put: 'Give a tenant an admin issuer of its own',
      about:
        'Roles in its tokens count for this tenant only: `admin`, `operator`, `auditor`, `publisher`, `approver`, plain or followed by `:{tenant}`. Issuer and audience together lead to one tenant.',
      remove: "Take a tenant's own admin issuer away; its tokens count no longer",
    },
    put:
      ({ checkUrl }, _tenantId, given) =>
      (tenant) =>
        putAdminIssuer(tenant, given, checkUrl),
    remove: removeAdminIssuer,
    judge: judgeHolder,
  });
