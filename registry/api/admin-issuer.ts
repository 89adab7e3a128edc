// /v1/tenants/{tenant}/admin-issuer: whose tokens administer a tenant beside those of the deployment's own.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminIssuer } from '#core/admin-issuer.ts';
import type { Json } from '#core/json.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { fillDefaults, inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import {
  conditionsOf,
  paramsOf,
  recordOf,
  sendProblem,
  sendRead,
  sendResource,
} from '#registry/api/request-facts.ts';
import { readResponses, removalResponses, writeResponses } from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ReadHeaders, TenantParams, WriteHeaders } from '#registry/api/route-schema.ts';
import { putAdminIssuer, removeAdminIssuer } from '#registry/commands/admin-issuer.ts';
import { ADMIN_ISSUER_NAME } from '#registry/commands/resources.ts';
import { AdminIssuerSchema } from '#registry/feed/schema/admin-issuer-schema.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const PATH = '/v1/tenants/:tenant/admin-issuer';

const INPUT = AdminIssuerSchema as unknown as JsonSchema;

type Found = { readonly body: AdminIssuer; readonly revision: number };

const find = (stored: StoredTenant | undefined): Found | undefined => {
  const body = stored?.tenant.adminIssuer;
  const revision = stored?.stamps[ADMIN_ISSUER_NAME];
  return body === undefined || revision === undefined ? undefined : { body, revision };
};

/** A token that led to two tenants would lead to none, and lock both out. */
const judgeHolder = async (
  context: ApiContext,
  request: FastifyRequest,
  { issuer, audience }: AdminIssuer,
): Promise<Problem | undefined> => {
  const origin = { issuer, audiences: [audience] };
  const holder = await context.adminTrusts.holderOf(origin, paramsOf(request).tenant);
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

const change = async (
  context: ApiContext,
  reply: FastifyReply,
  parts: Pick<TenantChangeRequest, 'command'> & { readonly action: string; readonly given?: AdminIssuer },
): Promise<FastifyReply> => {
  const { request } = reply;
  const { action, given, command } = parts;
  const result = await makeChange(context, request, {
    tenantId: paramsOf(request).tenant,
    record: recordOf(context, request, `${action} ${ADMIN_ISSUER_NAME}`),
    judge: async (stored) => {
      if (stored === undefined || (given === undefined && find(stored) === undefined)) return noSuchResource;
      const failed = judgePrecondition(conditionsOf(request), find(stored)?.revision);
      return failed ?? (given === undefined ? undefined : judgeHolder(context, request, given));
    },
    command,
  });
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before } = result.value;
  const found = find(stored);
  if (found === undefined) return reply.code(204).send();
  return sendResource(reply, { status: find(before) === undefined ? 201 : 200, ...found });
};

const registerWrites = (app: FastifyInstance, context: ApiContext): void => {
  const schema = { tags: ['tenants'], params: TenantParams, headers: WriteHeaders };
  app.put(PATH, {
    config: { access: 'platform' },
    schema: withWait({
      ...schema,
      summary: 'Give a tenant an admin issuer of its own',
      description:
        'Roles in its tokens count for this tenant only: `admin`, `operator`, `auditor`, `publisher`, `approver`, plain or followed by `:{tenant}`. Issuer and audience together lead to one tenant.',
      body: inputForm(INPUT),
      response: writeResponses(AdminIssuerSchema),
    }),
    handler: async (request, reply) => {
      const given = fillDefaults(INPUT, request.body as Json) as unknown as AdminIssuer;
      return change(context, reply, {
        action: 'put',
        given,
        // `judge` has refused a tenant that does not exist.
        command: (tenant) => putAdminIssuer(tenant as Tenant, given, context.checkUrl),
      });
    },
  });
  app.delete(PATH, {
    config: { access: 'platform' },
    schema: withWait({
      ...schema,
      summary: "Take a tenant's own admin issuer away; its tokens count no longer",
      response: removalResponses,
    }),
    handler: async (_request, reply) =>
      change(context, reply, {
        action: 'remove',
        command: (tenant) => removeAdminIssuer(tenant as Tenant),
      }),
  });
};

export const registerAdminIssuer = (app: FastifyInstance, context: ApiContext): void => {
  app.get(PATH, {
    config: { access: 'read' },
    schema: {
      summary: "Read a tenant's own admin issuer",
      tags: ['tenants'],
      params: TenantParams,
      headers: ReadHeaders,
      response: readResponses(AdminIssuerSchema),
    },
    handler: async (request, reply) => {
      const found = find(await context.store.findTenant(paramsOf(request).tenant));
      return found === undefined ? sendProblem(reply, noSuchResource) : sendRead(reply, found);
    },
  });
  registerWrites(app, context);
};
