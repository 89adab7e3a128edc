// ?dryRun=true: the change is judged like any other and then told instead of made.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Tenant } from '#core/tenant.ts';
import { prepareChange, type TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { ENVOY_FIELDS, envoyEffect } from '#registry/api/envoy-effect.ts';
import { invalidRequest } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';
import { AccessSchema, ResourceDiffSchema } from '#registry/api/revision-schema.ts';
import { reviewAccess } from '#registry/revisions/access-review.ts';
import { diffTenants } from '#registry/revisions/tenant-diff.ts';

const DRY_RUN = {
  dryRun: Type.Optional(
    Type.Enum(['true', 'false'], {
      description: '`true`: answer with what would change, and change nothing.',
    }),
  ),
};

export const DryRunQuery = Type.Object(DRY_RUN, { additionalProperties: false });

/** The query of a change that may ask to have its added access confirmed. */
export const ConfirmQuery = Type.Object(
  {
    ...DRY_RUN,
    confirmAddedAccess: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: '`access.digest` of a dry run or of the refusal: this list was seen.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const DryRunSchema = Type.Object({
  dryRun: Type.Boolean({ description: 'true: nothing was written.' }),
  revision: Type.Integer({ description: 'Of the tenant, which the change was judged against.' }),
  resources: Type.Array(ResourceDiffSchema),
  access: AccessSchema,
  ...ENVOY_FIELDS,
});

/** What a change from one state to another means to a person. */
export const describeChange = (before: Tenant, after: Tenant) => ({
  resources: diffTenants(before, after),
  access: reviewAccess(before, after),
});

/** The making and the removal of a tenant have one state only, and there is nothing to compare. */
const NO_STATES = invalidRequest([
  { in: 'query', pointer: '/dryRun', message: 'there is no dry run of making or removing a tenant' },
]);

export const isDryRun = (request: FastifyRequest): boolean =>
  (request.query as { readonly dryRun?: string }).dryRun === 'true';

/** Answers with what the change would do to the tenant. */
export const sendDryRun = async (
  context: ApiContext,
  reply: FastifyReply,
  change: TenantChangeRequest,
): Promise<FastifyReply> => {
  const prepared = await prepareChange(context, change);
  if (!prepared.ok) return sendProblem(reply, prepared.error);
  const { before, tenant: after } = prepared.value;
  if (before === undefined || after === null) return sendProblem(reply, NO_STATES);
  const { revision } = before.tenant;
  const effect = await envoyEffect(context, after);
  return reply.code(200).send({ dryRun: true, revision, ...describeChange(before.tenant, after), ...effect });
};
