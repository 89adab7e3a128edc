// A resource of which a tenant has one or none, under a path of its own: read, set, taken away, each as a change like any
// other. What one holds and who may write it is said by its own file.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { TSchema } from 'typebox';
import type { Json } from '#core/json.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Access } from '#registry/api/auth/roles.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
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
import { answerOf, readResponses, removalResponses, writeResponses } from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ReadHeaders, TenantParams, WriteHeaders } from '#registry/api/route-schema.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import type { ResourceName } from '#registry/commands/resources.ts';
import type { StoredTenant } from '#registry/store/store.ts';

export type SingleResource<T> = {
  /** Below the tenant's: `/v1/tenants/{tenant}/{path}`. */
  readonly path: string;
  readonly name: ResourceName;
  readonly find: (tenant: Tenant) => T | undefined;
  readonly schema: TSchema;
  readonly tag: string;
  readonly writeAccess: Access;
  readonly summaries: {
    readonly read: string;
    readonly put: string;
    /** What it means, for the document. */
    readonly about: string;
    readonly remove: string;
  };
  /** The command that sets it. What has to be looked up for it, in the store, is looked up once. */
  readonly put: (
    context: ApiContext,
    tenantId: string,
    given: T,
  ) => Promise<(tenant: Tenant) => Outcome> | ((tenant: Tenant) => Outcome);
  readonly remove: (tenant: Tenant) => Outcome;
  /** What stands against it outside the tenant; asked again before each attempt. */
  readonly judge?: (context: ApiContext, tenantId: string, given: T) => Promise<Problem | undefined>;
};

type Found<T> = { readonly body: T; readonly revision: number };

const findIn = <T>(
  { find, name }: SingleResource<T>,
  stored: StoredTenant | undefined,
): Found<T> | undefined => {
  const body = stored && find(stored.tenant);
  const revision = stored?.stamps[name];
  return body === undefined || revision === undefined ? undefined : { body, revision };
};

type Wanted<T> = {
  readonly action: 'put' | 'remove';
  /** Absent: it is taken away. */
  readonly given?: T;
  readonly command: (tenant: Tenant) => Outcome;
};

const change = async <T>(
  context: ApiContext,
  reply: FastifyReply,
  { resource, action, given, command }: Wanted<T> & { readonly resource: SingleResource<T> },
): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId } = paramsOf(request);
  const asked: TenantChangeRequest = {
    tenantId,
    record: recordOf(context, request, `${action} ${resource.name}`),
    judge: async (stored) => {
      const found = findIn(resource, stored);
      if (stored === undefined || (given === undefined && found === undefined)) return noSuchResource;
      const failed = judgePrecondition(conditionsOf(request), found?.revision);
      return failed ?? (given === undefined ? undefined : resource.judge?.(context, tenantId, given));
    },
    // `judge` has refused a tenant that does not exist.
    command: (tenant) => command(tenant as Tenant),
  };
  if (isDryRun(request)) return sendDryRun(context, reply, asked);
  const result = await makeChange(context, request, asked);
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before } = result.value;
  const found = findIn(resource, stored);
  if (found === undefined) return reply.code(204).send();
  return sendResource(reply, { status: findIn(resource, before) === undefined ? 201 : 200, ...found });
};

const registerWrites = <T>(app: FastifyInstance, context: ApiContext, resource: SingleResource<T>): void => {
  const { path, schema, tag, writeAccess, summaries } = resource;
  const input = schema as unknown as JsonSchema;
  const shared = {
    tags: [tag],
    params: TenantParams,
    headers: WriteHeaders,
    querystring: DryRunQuery,
  };
  app.put(`/v1/tenants/:tenant/${path}`, {
    config: { access: writeAccess },
    schema: withWait({
      ...shared,
      summary: summaries.put,
      description: summaries.about,
      body: inputForm(input),
      response: writeResponses(schema, DryRunSchema),
    }),
    handler: async (request, reply) => {
      const given = fillDefaults(input, request.body as Json) as unknown as T;
      const command = await resource.put(context, paramsOf(request).tenant, given);
      return change(context, reply, { resource, action: 'put', given, command });
    },
  });
  app.delete(`/v1/tenants/:tenant/${path}`, {
    config: { access: writeAccess },
    schema: withWait({
      ...shared,
      summary: summaries.remove,
      response: { 200: answerOf(DryRunSchema, {}), ...removalResponses },
    }),
    handler: async (_request, reply) =>
      change(context, reply, { resource, action: 'remove', command: resource.remove }),
  });
};

/** The routes of one such resource. */
export const registerSingleResource = <T>(
  app: FastifyInstance,
  context: ApiContext,
  resource: SingleResource<T>,
): void => {
  app.get(`/v1/tenants/:tenant/${resource.path}`, {
    config: { access: 'read' },
    schema: {
      summary: resource.summaries.read,
      tags: [resource.tag],
      params: TenantParams,
      headers: ReadHeaders,
      response: readResponses(resource.schema),
    },
    handler: async (request, reply) => {
      const found = findIn(resource, await context.store.findTenant(paramsOf(request).tenant));
      return found === undefined ? sendProblem(reply, noSuchResource) : sendRead(reply, found);
    },
  });
  registerWrites(app, context, resource);
};
