// POST /v1/tenants/{tenant}/revisions/{number}/restore: a tenant back to what it was, as one new revision or not at all.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Tenant } from '#core/tenant.ts';
import { servingConflicts } from '#registry/api/approvals/serving-gate.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { ConfirmQuery, DryRunSchema, describeChange, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { RevisionParams } from '#registry/api/history.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource, PROBLEM_MEDIA_TYPE, ProblemSchema } from '#registry/api/problem.ts';
import { conditionsOf, paramsOf, recordOf, sendProblem, sendResource } from '#registry/api/request-facts.ts';
import { actionResponses, REPLAYED } from '#registry/api/response-schema.ts';
import { AccessSchema, ResourceDiffSchema } from '#registry/api/revision-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { WriteHeaders } from '#registry/api/route-schema.ts';
import type { ApprovalRecords } from '#registry/approval/records.ts';
import { reviewVersions } from '#registry/approval/review.ts';
import { describeChanges } from '#registry/commands/describe-changes.ts';
import { requireConfirmed } from '#registry/revisions/access-review.ts';
import { type JudgeServed, restoreRevision } from '#registry/revisions/restore.ts';
import type { Revision } from '#registry/store/store.ts';

const RestoredSchema = Type.Object({
  revision: Type.Integer({ description: 'Of the tenant now. The same as before if nothing differed.' }),
  restoredFrom: Type.Integer(),
  resources: Type.Array(ResourceDiffSchema, { description: 'What the restore changed.' }),
  access: AccessSchema,
  stillDifferent: Type.Array(Type.String(), {
    description:
      'What is not as it stood then, because a restore leaves it alone: switches, issuers, later versions.',
  }),
});

const SCHEMA = withWait({
  summary: 'Bring a tenant back to what it was at a revision',
  description:
    'Settings, servers, active versions, constraints and grants go back together. What is switched off, disabled or removed as an issuer stays so; a server that comes back comes back switched off; published versions stay. If-Match is the revision of the tenant. A restore that adds access is refused with the list of it (`access`) until the digest of that list is sent as confirmAddedAccess.',
  tags: ['history'],
  params: RevisionParams,
  headers: Type.Object({ ...WriteHeaders.properties, ...IdempotencyHeader }),
  querystring: ConfirmQuery,
  response: {
    ...actionResponses(Type.Union([RestoredSchema, DryRunSchema]), REPLAYED),
    409: {
      description: 'What is missing or in the way; or, unconfirmed, the access that would be added',
      headers: REPLAYED,
      content: {
        [PROBLEM_MEDIA_TYPE]: {
          schema: Type.Object({ ...ProblemSchema.properties, access: Type.Optional(AccessSchema) }),
        },
      },
    },
  },
});

/** Named with everything else that is in the way; the gate of change-tenant.ts judges again with what it commits. */
const judgeServed =
  (records: ApprovalRecords): JudgeServed =>
  (after, served) =>
    servingConflicts(
      after.id,
      reviewVersions(after, records, served).filter(
        ({ state }) => state === 'waiting' || state === 'rejected',
      ),
    );

const restoreChange = (
  context: ApiContext,
  reply: FastifyReply,
  { source, records }: { readonly source: Revision; readonly records: ApprovalRecords },
): TenantChangeRequest => {
  const { request } = reply;
  const { confirmAddedAccess } = request.query as { readonly confirmAddedAccess?: string };
  const rules = { checkUrl: context.checkUrl, judgeServed: judgeServed(records) };
  return {
    tenantId: paramsOf(request).tenant,
    record: recordOf(context, request, `restore revisions/${source.number}`),
    judge: (stored) =>
      stored === undefined
        ? noSuchResource
        : judgePrecondition(conditionsOf(request), stored.tenant.revision),
    command: (tenant) => {
      // `judge` has refused a tenant that does not exist.
      const present = tenant as Tenant;
      const outcome = restoreRevision(present, source, rules);
      return isDryRun(request) ? outcome : requireConfirmed(present, outcome, confirmAddedAccess);
    },
  };
};

const restore = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { tenant, number } = paramsOf(reply.request);
  const source = await context.store.findRevision(tenant, Number(number));
  if (source === undefined) return sendProblem(reply, noSuchResource);
  const records = await context.store.findApprovals(tenant);
  const change = restoreChange(context, reply, { source, records });
  if (isDryRun(reply.request)) return sendDryRun(context, reply, change);
  const result = await makeChange(context, reply.request, change);
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before, revision } = result.value;
  if (stored === undefined || before === undefined || source.tenant === null)
    throw new Error('a restore keeps the tenant');
  return sendResource(reply, {
    status: 200,
    revision,
    body: {
      revision,
      restoredFrom: source.number,
      ...describeChange(before.tenant, stored.tenant),
      stillDifferent: describeChanges(source.tenant, stored.tenant),
    },
  });
};

export const registerRestore = (app: FastifyInstance, context: ApiContext): void => {
  app.post('/v1/tenants/:tenant/revisions/:number/restore', {
    config: { access: 'write', keyed: true },
    schema: SCHEMA,
    handler: async (_request, reply) => restore(context, reply),
  });
};
