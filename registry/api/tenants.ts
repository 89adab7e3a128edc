// /v1/tenants: the tenants themselves. Their issuers, servers and grants have routes of their own.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Json, JsonObject } from '#core/json.ts';
import { err, ok } from '#core/result.ts';
import type { Tenant, TenantSettings } from '#core/tenant.ts';
import { isPermitted, readableTenants } from '#registry/api/auth/roles.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { mergePatch } from '#registry/api/merge-patch.ts';
import { linkNext, listQuery, pageByName } from '#registry/api/paging.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import {
  callerOf,
  conditionsOf,
  paramsOf,
  recordOf,
  sendProblem,
  sendRead,
  sendResource,
} from '#registry/api/request-facts.ts';
import {
  pageResponses,
  readResponses,
  removalResponses,
  writeResponses,
} from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import {
  MergePatchBody,
  PATCH_MEDIA_TYPES,
  ReadHeaders,
  TenantParams,
  WriteHeaders,
} from '#registry/api/route-schema.ts';
import { compileInput } from '#registry/api/validation.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { settingsOf } from '#registry/commands/resources.ts';
import { putTenant } from '#registry/commands/tenant.ts';
import { TENANT_FIELDS } from '#registry/feed/schema/tenant-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const TenantView = Type.Object({ id: Id, revision: Type.Integer(), ...TENANT_FIELDS });

const INPUT = Type.Object(
  { id: Type.Optional(Id), ...TENANT_FIELDS },
  { additionalProperties: false },
) as unknown as JsonSchema;

const validate = compileInput(INPUT);

const viewOf = (tenant: Tenant) => ({ id: tenant.id, revision: tenant.revision, ...settingsOf(tenant) });

/** Reads no tenant that is not shown: any caller may ask, and a tenant can be tens of megabytes. */
const listVisible = async (
  { store }: ApiContext,
  visible: readonly string[] | 'all',
): Promise<readonly StoredTenant[]> => {
  if (visible === 'all') return store.listTenants();
  const found = await Promise.all(visible.map((id) => store.findTenant(id)));
  return found.filter((stored) => stored !== undefined);
};

const registerReads = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/tenants', {
    config: { access: 'caller' },
    schema: {
      summary: 'List the tenants the caller may see',
      description: 'Sorted by id.',
      tags: ['tenants'],
      querystring: listQuery(),
      response: pageResponses(TenantView),
    },
    handler: async (request, reply) => {
      const visible = await listVisible(context, readableTenants(callerOf(request)));
      const page = pageByName(visible, request, ({ tenant }) => tenant.id);
      linkNext(reply, page);
      return { items: page.items.map(({ tenant }) => viewOf(tenant)) };
    },
  });
  app.get('/v1/tenants/:tenant', {
    config: { access: 'read' },
    schema: {
      summary: 'Read a tenant',
      tags: ['tenants'],
      params: TenantParams,
      headers: ReadHeaders,
      response: readResponses(TenantView),
    },
    handler: async (request, reply) => {
      const stored = await context.store.findTenant(paramsOf(request).tenant);
      if (stored === undefined) return sendProblem(reply, noSuchResource);
      return sendRead(reply, { revision: stored.tenant.revision, body: viewOf(stored.tenant) });
    },
  });
};

const judgeWrite = (reply: FastifyReply, stored: StoredTenant | undefined): Problem | undefined => {
  const isMissing = stored === undefined;
  const { method } = reply.request;
  if (isMissing && method !== 'PUT') return noSuchResource;
  if (isMissing && !isPermitted(callerOf(reply.request), 'platform', ''))
    return { status: 403, code: 'forbidden', detail: 'Tenants are created by a platform-admin.' };
  return judgePrecondition(conditionsOf(reply.request), stored?.tenant.revision);
};

/** Whoever may switch four eyes off may approve himself: that is not for those whose approvals it is about. */
const judgeFourEyes = (reply: FastifyReply, before: Tenant | undefined, outcome: Outcome): Outcome =>
  outcome.ok &&
  before?.fourEyes === true &&
  !outcome.value.tenant.fourEyes &&
  !isPermitted(callerOf(reply.request), 'platform', '')
    ? err({
        kind: 'forbidden',
        faults: [{ pointer: '/fourEyes', message: 'is switched off by a platform-admin only' }],
      })
    : outcome;

const putSettings = (tenant: Tenant | undefined, id: string, settings: Json): Outcome => {
  const checked = validate(settings);
  if (!checked.ok) return err({ kind: 'invalid', faults: checked.error });
  const { id: givenId, ...rest } = checked.value as JsonObject;
  if (givenId !== undefined && givenId !== id)
    return err({ kind: 'invalid', faults: [{ pointer: '/id', message: 'differs from the path' }] });
  return putTenant(tenant, { id, settings: rest as unknown as TenantSettings });
};

const change = async (
  context: ApiContext,
  reply: FastifyReply,
  { action, command }: { readonly action: string; readonly command: TenantChangeRequest['command'] },
): Promise<FastifyReply> => {
  const asked: TenantChangeRequest = {
    tenantId: paramsOf(reply.request).tenant,
    record: recordOf(context, reply.request, `${action} tenant`),
    judge: (stored) => judgeWrite(reply, stored),
    command,
  };
  if (isDryRun(reply.request)) return sendDryRun(context, reply, asked);
  const result = await makeChange(context, reply.request, asked);
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before } = result.value;
  if (stored === undefined) return reply.code(204).send();
  const status = before === undefined ? 201 : 200;
  return sendResource(reply, { status, revision: stored.tenant.revision, body: viewOf(stored.tenant) });
};

const registerPuts = (app: FastifyInstance, context: ApiContext): void => {
  const schema = {
    tags: ['tenants'],
    params: TenantParams,
    headers: WriteHeaders,
    querystring: DryRunQuery,
    response: writeResponses(TenantView, DryRunSchema),
  };
  app.put('/v1/tenants/:tenant', {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: 'Create a tenant or replace its settings',
      body: inputForm(INPUT),
    }),
    handler: async (request, reply) =>
      change(context, reply, {
        action: 'put',
        command: (tenant) =>
          judgeFourEyes(reply, tenant, putSettings(tenant, paramsOf(request).tenant, request.body as Json)),
      }),
  });
  app.patch('/v1/tenants/:tenant', {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: 'Change some settings of a tenant',
      consumes: PATCH_MEDIA_TYPES,
      body: MergePatchBody,
    }),
    handler: async (request, reply) =>
      change(context, reply, {
        action: 'patch',
        command: (tenant) => {
          const current = tenant === undefined ? {} : (settingsOf(tenant) as unknown as JsonObject);
          const settings = mergePatch(current, request.body as Json);
          return judgeFourEyes(reply, tenant, putSettings(tenant, paramsOf(request).tenant, settings));
        },
      }),
  });
};

export const registerTenants = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  registerPuts(app, context);
  app.delete('/v1/tenants/:tenant', {
    config: { access: 'platform' },
    schema: withWait({
      summary: 'Remove a tenant with all it owns',
      tags: ['tenants'],
      params: TenantParams,
      headers: WriteHeaders,
      response: removalResponses,
    }),
    handler: async (_request, reply) =>
      change(context, reply, {
        action: 'remove',
        command: () => ok({ tenant: null, changes: ['tenant: removed'] }),
      }),
  });
};
