// /v1/tenants/{tenant}/hosts: the host names that lead to this tenant and to no other.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Json } from '#core/json.ts';
import type { Tenant, TenantHosts } from '#core/tenant.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
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
import { answerOf, readResponses, removalResponses, writeResponses } from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ReadHeaders, TenantParams, WriteHeaders } from '#registry/api/route-schema.ts';
import { putHosts, removeHosts } from '#registry/commands/hosts.ts';
import { HOSTS_NAME } from '#registry/commands/resources.ts';
import { TenantHostsSchema } from '#registry/feed/schema/tenant-hosts-schema.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const PATH = '/v1/tenants/:tenant/hosts';

type Found = { readonly body: TenantHosts; readonly revision: number };

const find = (stored: StoredTenant | undefined): Found | undefined => {
  const body = stored?.tenant.hosts;
  const revision = stored?.stamps[HOSTS_NAME];
  return body === undefined || revision === undefined ? undefined : { body, revision };
};

/** A name that led to two tenants would lead to neither. Two who write it at once: the later is asked again, and told here. */
const judgeHolders = async (
  { store }: ApiContext,
  tenantId: string,
  { names }: TenantHosts,
): Promise<Problem | undefined> => {
  const holders = await store.findHostHolders(names);
  const errors = names.flatMap((name, index) => {
    const holder = holders.get(name);
    return holder === undefined || holder === tenantId
      ? []
      : [{ pointer: `/names/${index}`, message: `belongs to tenant ${holder}` }];
  });
  return errors.length === 0
    ? undefined
    : { status: 409, code: 'conflict', detail: 'Another tenant has such a host name.', errors };
};

const change = async (
  context: ApiContext,
  reply: FastifyReply,
  parts: Pick<TenantChangeRequest, 'command'> & { readonly action: string; readonly given?: TenantHosts },
): Promise<FastifyReply> => {
  const { request } = reply;
  const { action, given, command } = parts;
  const { tenant: tenantId } = paramsOf(request);
  const asked: TenantChangeRequest = {
    tenantId,
    record: recordOf(context, request, `${action} ${HOSTS_NAME}`),
    judge: async (stored) => {
      if (stored === undefined || (given === undefined && find(stored) === undefined)) return noSuchResource;
      const failed = judgePrecondition(conditionsOf(request), find(stored)?.revision);
      return failed ?? (given === undefined ? undefined : judgeHolders(context, tenantId, given));
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

const registerWrites = (app: FastifyInstance, context: ApiContext): void => {
  const schema = {
    tags: ['tenants'],
    params: TenantParams,
    headers: WriteHeaders,
    querystring: DryRunQuery,
  };
  app.put(PATH, {
    config: { access: 'platform' },
    schema: withWait({
      ...schema,
      summary: 'Give a tenant host names of its own',
      description:
        "Calls by one of these names reach this tenant only, at `/mcp/{server}` and `/t/{tenant}/mcp/{server}`; challenges and metadata name it. No name is two tenants'.",
      body: inputForm(TenantHostsSchema as unknown as JsonSchema),
      response: writeResponses(TenantHostsSchema, DryRunSchema),
    }),
    handler: async (request, reply) => {
      const given = request.body as Json as unknown as TenantHosts;
      // `judge` has refused a tenant that does not exist.
      const command = (tenant: Tenant | undefined) => putHosts(tenant as Tenant, given);
      return change(context, reply, { action: 'put', given, command });
    },
  });
  app.delete(PATH, {
    config: { access: 'platform' },
    schema: withWait({
      ...schema,
      summary: "Take a tenant's own host names away",
      response: { 200: answerOf(DryRunSchema, {}), ...removalResponses },
    }),
    handler: async (_request, reply) =>
      change(context, reply, { action: 'remove', command: (tenant) => removeHosts(tenant as Tenant) }),
  });
};

export const registerHosts = (app: FastifyInstance, context: ApiContext): void => {
  app.get(PATH, {
    config: { access: 'read' },
    schema: {
      summary: "Read a tenant's own host names",
      tags: ['tenants'],
      params: TenantParams,
      headers: ReadHeaders,
      response: readResponses(TenantHostsSchema),
    },
    handler: async (request, reply) => {
      const found = find(await context.store.findTenant(paramsOf(request).tenant));
      return found === undefined ? sendProblem(reply, noSuchResource) : sendRead(reply, found);
    },
  });
  registerWrites(app, context);
};
