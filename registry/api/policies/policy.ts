// /v1/tenants/{tenant}/policy: which bundle judges a tenant's calls beside the platform's policy, and who may sign one.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Json } from '#core/json.ts';
import type { Tenant } from '#core/tenant.ts';
import type { BundleReference, TenantPolicy } from '#core/tenant-policy.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { fillDefaults, inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import {
  conditionsOf,
  paramsOf,
  recordOf,
  sendProblem,
  sendRead,
  sendResource,
} from '#registry/api/request-facts.ts';
import { answerOf, readResponses, removalResponses, writeResponses } from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ReadHeaders, TenantParams, WriteHeaders } from '#registry/api/route-schema.ts';
import { putPolicy, removePolicy } from '#registry/commands/policy.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { TenantPolicySchema } from '#registry/feed/schema/policy-schema.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const PATH = '/v1/tenants/:tenant/policy';

const INPUT = TenantPolicySchema as unknown as JsonSchema;

type Found = { readonly body: TenantPolicy; readonly revision: number };

const find = (stored: StoredTenant | undefined): Found | undefined => {
  const body = stored?.tenant.policy;
  const revision = stored?.stamps[POLICY_NAME];
  return body === undefined || revision === undefined ? undefined : { body, revision };
};

const change = async (
  context: ApiContext,
  reply: FastifyReply,
  { action, command }: Pick<TenantChangeRequest, 'command'> & { readonly action: 'put' | 'remove' },
): Promise<FastifyReply> => {
  const { request } = reply;
  const asked: TenantChangeRequest = {
    tenantId: paramsOf(request).tenant,
    record: recordOf(context, request, `${action} ${POLICY_NAME}`),
    judge: (stored) => {
      if (stored === undefined || (action === 'remove' && find(stored) === undefined)) return noSuchResource;
      return judgePrecondition(conditionsOf(request), find(stored)?.revision);
    },
    command,
  };
  if (isDryRun(request)) return sendDryRun(context, reply, asked);
  const result = await makeChange(context, request, asked);
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before } = result.value;
  const found = find(stored);
  if (found === undefined) return reply.code(204).send();
  return sendResource(reply, { status: find(before) === undefined ? 201 : 200, ...found });
};

const put = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { tenant: tenantId } = paramsOf(reply.request);
  const given = fillDefaults(INPUT, reply.request.body as Json) as unknown as TenantPolicy;
  const findBundle = async (reference: BundleReference | undefined) =>
    reference && (await context.store.findPolicyBundle(tenantId, reference.digest));
  const uploaded = { bundle: await findBundle(given.bundle), shadow: await findBundle(given.shadow) };
  return change(context, reply, {
    action: 'put',
    // `judge` has refused a tenant that does not exist.
    command: (tenant) => putPolicy(tenant as Tenant, given, { uploaded, checkUrl: context.checkUrl }),
  });
};

const registerWrites = (app: FastifyInstance, context: ApiContext): void => {
  const schema = {
    tags: ['policy'],
    params: TenantParams,
    headers: WriteHeaders,
    querystring: DryRunQuery,
  };
  app.put(PATH, {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: "Set a tenant's own policy",
      description:
        "Its bundle judges every call beside the platform's policy, and both must permit it; `shadow` is asked too, to compare, and decides nothing. A dry run lists what may be loosened by it.",
      body: inputForm(INPUT),
      response: writeResponses(TenantPolicySchema, DryRunSchema),
    }),
    handler: async (_request, reply) => put(context, reply),
  });
  app.delete(PATH, {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: "Take a tenant's own policy away; the platform's judges alone",
      response: { 200: answerOf(DryRunSchema, {}), ...removalResponses },
    }),
    handler: async (_request, reply) =>
      change(context, reply, {
        action: 'remove',
        command: (tenant) => removePolicy(tenant as Tenant),
      }),
  });
};

export const registerPolicy = (app: FastifyInstance, context: ApiContext): void => {
  app.get(PATH, {
    config: { access: 'read' },
    schema: {
      summary: "Read a tenant's own policy",
      tags: ['policy'],
      params: TenantParams,
      headers: ReadHeaders,
      response: readResponses(TenantPolicySchema),
    },
    handler: async (request, reply) => {
      const found = find(await context.store.findTenant(paramsOf(request).tenant));
      return found === undefined ? sendProblem(reply, noSuchResource) : sendRead(reply, found);
    },
  });
  registerWrites(app, context);
};
