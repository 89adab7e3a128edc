// The five routes that issuers, servers, grants and publishers have in common. A collection says what its resources are and which
// commands change them; this file knows HTTP.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import type { Json, JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantChanged, TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema, isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { mergePatch } from '#registry/api/merge-patch.ts';
import { linkNext, listQuery, pageByName } from '#registry/api/paging.ts';
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
import {
  answerOf,
  readResponses,
  removalResponses,
  taggedPageResponses,
  writeResponses,
} from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import {
  ItemParams,
  MergePatchBody,
  PATCH_MEDIA_TYPES,
  ReadHeaders,
  TenantParams,
  WriteHeaders,
} from '#registry/api/route-schema.ts';
import { compileInput, type Validate } from '#registry/api/validation.ts';
import type { Fault, Outcome } from '#registry/commands/outcome.ts';
import type { ResourceName } from '#registry/commands/resources.ts';
import { Id } from '#registry/feed/schema/words.ts';
import type { StoredTenant } from '#registry/store/store.ts';

export type CollectionFilter = {
  readonly schema: TSchema;
  readonly matches: (item: object, value: unknown) => boolean;
};

export type Shorthand = {
  /** What a client may send beside the resource's own fields. */
  readonly fields: Readonly<Record<string, TSchema>>;
  /** Own fields that may be left out because the shorthand says them. */
  readonly saves: readonly string[];
  /** The resource written out, before it is checked as one. */
  readonly expand: (body: JsonObject) => Result<JsonObject, readonly Fault[]>;
};

export type Collection = {
  readonly path: 'issuers' | 'servers' | 'grants' | 'publishers';
  readonly noun: string;
  readonly readAccess: 'read' | 'read-servers';
  /** The resource as it is read. */
  readonly view: TSchema;
  /** The fields a client sets. */
  readonly fields: Readonly<Record<string, TSchema>>;
  readonly nameOf: (id: string) => ResourceName;
  /** Resources as they are read, sorted by id. */
  readonly list: (tenant: Tenant) => readonly { readonly id: string }[];
  /** A shorter way to write a resource in a PUT. */
  readonly shorthand?: Shorthand;
  /** Query parameters that narrow the list. */
  readonly filters: Readonly<Record<string, CollectionFilter>>;
  readonly put: (tenant: Tenant, item: { readonly id: string; readonly settings: JsonObject }) => Outcome;
  readonly remove: (tenant: Tenant, id: string) => Outcome;
};

type Found = { readonly item: { readonly id: string }; readonly revision: number };

const find = (collection: Collection, stored: StoredTenant | undefined, id: string): Found | undefined => {
  const item =
    stored === undefined
      ? undefined
      : collection.list(stored.tenant).find((candidate) => candidate.id === id);
  const revision = stored?.stamps[collection.nameOf(id)];
  return item === undefined || revision === undefined ? undefined : { item, revision };
};

/** The fields of a stored resource that a client could have sent. */
const settingsOf = (collection: Collection, item: object): JsonObject =>
  Object.fromEntries(Object.entries(item).filter(([field]) => Object.hasOwn(collection.fields, field)));

const judgeWrite =
  (collection: Collection, request: FastifyRequest, mustExist: boolean) =>
  (stored: StoredTenant | undefined): Problem | undefined => {
    const found = find(collection, stored, paramsOf(request).id);
    if (stored === undefined || (mustExist && found === undefined)) return noSuchResource;
    return judgePrecondition(conditionsOf(request), found?.revision);
  };

const sendChanged = (collection: Collection, reply: FastifyReply, changed: TenantChanged): FastifyReply => {
  const { id } = paramsOf(reply.request);
  const found = find(collection, changed.stored, id);
  if (found === undefined) return reply.code(204).send();
  const status = find(collection, changed.before, id) === undefined ? 201 : 200;
  return sendResource(reply, { status, revision: found.revision, body: found.item });
};

type Parts = { readonly context: ApiContext; readonly collection: Collection };

type Change = {
  readonly action: 'put' | 'patch' | 'remove';
  readonly command: (tenant: Tenant, id: string) => Outcome;
};

const change = async (
  { context, collection }: Parts,
  reply: FastifyReply,
  { action, command }: Change,
): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId, id } = paramsOf(request);
  const asked: TenantChangeRequest = {
    tenantId,
    record: recordOf(context, request, `${action} ${collection.nameOf(id)}`),
    judge: judgeWrite(collection, request, action !== 'put'),
    // `judge` has refused a tenant that does not exist.
    command: (tenant) => command(tenant as Tenant, id),
  };
  if (isDryRun(request)) return sendDryRun(context, reply, asked);
  const result = await makeChange(context, request, asked);
  return result.ok ? sendChanged(collection, reply, result.value) : sendProblem(reply, result.error);
};

/** The command of a PUT or PATCH: the settings, checked and completed, in place of those that are there. */
const putChecked =
  (collection: Collection, validate: Validate, settingsFor: (current: JsonObject) => Json) =>
  (tenant: Tenant, id: string): Outcome => {
    const current = collection.list(tenant).find((item) => item.id === id);
    const checked = validate(settingsFor(current === undefined ? {} : settingsOf(collection, current)));
    if (!checked.ok) return err({ kind: 'invalid', faults: checked.error });
    const { id: givenId, ...settings } = checked.value as JsonObject;
    if (givenId !== undefined && givenId !== id)
      return err({ kind: 'invalid', faults: [{ pointer: '/id', message: 'differs from the path' }] });
    return collection.put(tenant, { id, settings });
  };

/** The resources that fit every filter of the query. */
const narrow = (collection: Collection, tenant: Tenant, query: Readonly<Record<string, unknown>>) => {
  const asked = Object.entries(collection.filters).filter(([name]) => query[name] !== undefined);
  return collection
    .list(tenant)
    .filter((item) => asked.every(([name, { matches }]) => matches(item, query[name])));
};

const registerList = (app: FastifyInstance, { context, collection }: Parts): void => {
  const { path, view, readAccess, filters } = collection;
  app.get(`/v1/tenants/:tenant/${path}`, {
    config: { access: readAccess },
    schema: {
      summary: `List ${path}`,
      description: 'Sorted by id. The ETag is the revision of the tenant.',
      tags: [path],
      params: TenantParams,
      headers: ReadHeaders,
      querystring: listQuery(
        Object.fromEntries(
          Object.entries(filters).map(([name, { schema }]) => [name, Type.Optional(schema)]),
        ),
      ),
      response: taggedPageResponses(view),
    },
    handler: async (request, reply) => {
      const stored = await context.store.findTenant(paramsOf(request).tenant);
      if (stored === undefined) return sendProblem(reply, noSuchResource);
      const items = narrow(collection, stored.tenant, request.query as Readonly<Record<string, unknown>>);
      const page = pageByName(items, request, ({ id }) => id);
      linkNext(reply, page);
      return sendRead(reply, { revision: stored.tenant.revision, body: { items: page.items } });
    },
  });
};

const registerReads = (app: FastifyInstance, { context, collection }: Parts): void => {
  const { path, noun, view, readAccess } = collection;
  app.get(`/v1/tenants/:tenant/${path}/:id`, {
    config: { access: readAccess },
    schema: {
      summary: `Read ${noun}`,
      tags: [path],
      params: ItemParams,
      headers: ReadHeaders,
      response: readResponses(view),
    },
    handler: async (request, reply) => {
      const { tenant, id } = paramsOf(request);
      const found = find(collection, await context.store.findTenant(tenant), id);
      if (found === undefined) return sendProblem(reply, noSuchResource);
      return sendRead(reply, { revision: found.revision, body: found.item });
    },
  });
};

/** The form of a PUT where a shorthand may stand for some of the fields. */
const withShorthand = (form: JsonSchema, shorthand: Shorthand | undefined): JsonSchema => {
  if (shorthand === undefined) return form;
  const { properties, required } = form as {
    readonly properties: JsonObject;
    readonly required: readonly string[];
  };
  return {
    ...form,
    properties: { ...properties, ...(shorthand.fields as JsonObject) },
    required: required.filter((name) => !shorthand.saves.includes(name)),
  };
};

const registerPuts = (app: FastifyInstance, parts: Parts): void => {
  const { collection } = parts;
  const { path, noun, view, fields, shorthand } = collection;
  const input = Type.Object({ id: Type.Optional(Id), ...fields }, { additionalProperties: false });
  const validate = compileInput(input as unknown as JsonSchema);
  const validatePut: Validate = (value) => {
    const written = shorthand === undefined ? ok(value as Json) : shorthand.expand(value as JsonObject);
    return written.ok ? validate(written.value) : written;
  };
  const schema = {
    tags: [path],
    params: ItemParams,
    headers: WriteHeaders,
    querystring: DryRunQuery,
    response: writeResponses(view, DryRunSchema),
  };
  app.put(`/v1/tenants/:tenant/${path}/:id`, {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: `Create or replace ${noun}`,
      body: withShorthand(inputForm(input as unknown as JsonSchema), shorthand),
    }),
    handler: async (request, reply) =>
      change(parts, reply, {
        action: 'put',
        command: putChecked(collection, validatePut, () => request.body as Json),
      }),
  });
  app.patch(`/v1/tenants/:tenant/${path}/:id`, {
    config: { access: 'write' },
    schema: withWait({
      ...schema,
      summary: `Change some fields of ${noun}`,
      consumes: PATCH_MEDIA_TYPES,
      body: MergePatchBody,
    }),
    handler: async (request, reply) =>
      change(parts, reply, {
        action: 'patch',
        command: putChecked(collection, validate, (current) => mergePatch(current, request.body as Json)),
      }),
  });
};

const registerRemoval = (app: FastifyInstance, parts: Parts): void => {
  const { path, noun, remove } = parts.collection;
  app.delete(`/v1/tenants/:tenant/${path}/:id`, {
    config: { access: 'write' },
    schema: withWait({
      summary: `Remove ${noun}`,
      tags: [path],
      params: ItemParams,
      headers: WriteHeaders,
      querystring: DryRunQuery,
      response: { 200: answerOf(DryRunSchema, {}), ...removalResponses },
    }),
    handler: async (_request, reply) => change(parts, reply, { action: 'remove', command: remove }),
  });
};

/** Registers list, read, put, patch and delete of one collection. */
export const registerCollection = (
  app: FastifyInstance,
  context: ApiContext,
  collection: Collection,
): void => {
  const parts = { context, collection };
  registerList(app, parts);
  registerReads(app, parts);
  registerPuts(app, parts);
  registerRemoval(app, parts);
};
