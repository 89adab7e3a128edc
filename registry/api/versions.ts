// /v1/tenants/{tenant}/servers/{id}/versions

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Json, JsonObject } from '#core/json.ts';
import { findVersion, type ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { VersionParams } from '#registry/api/approvals/reviews.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { fillDefaults, inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { problemFromManifest } from '#registry/api/manifests/refusal-problem.ts';
import { linkNext, listQuery, pageByName } from '#registry/api/paging.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { paramsOf, recordOf, sendProblem, sendRead, sendResource } from '#registry/api/request-facts.ts';
import { readResponses, taggedPageResponses, writeResponses } from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ItemParams, ReadHeaders, WriteHeaders } from '#registry/api/route-schema.ts';
import { serverName, versionName } from '#registry/commands/resources.ts';
import { publishVersion } from '#registry/commands/server-version.ts';
import { VERSION_FIELDS, VersionSchema } from '#registry/feed/schema/version-schema.ts';
import { VersionName } from '#registry/feed/schema/words.ts';
import { judgeVersionTexts } from '#registry/manifest/judge-version.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const INPUT = Type.Object(
  { version: Type.Optional(VersionName), ...VERSION_FIELDS },
  { additionalProperties: false },
) as unknown as JsonSchema;

const sendVersion = (
  reply: FastifyReply,
  stored: StoredTenant | undefined,
  status: 200 | 201,
): FastifyReply => {
  const { id, version } = paramsOf(reply.request);
  const server = stored === undefined ? undefined : findServer(stored.tenant, id);
  const body = server === undefined ? undefined : findVersion(server, version);
  const revision = stored?.stamps[versionName(id, version)];
  if (body === undefined || revision === undefined) return sendProblem(reply, noSuchResource);
  return status === 200 && reply.request.method === 'GET'
    ? sendRead(reply, { revision, body })
    : sendResource(reply, { status, revision, body });
};

const registerReads = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/tenants/:tenant/servers/:id/versions', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'List the published versions of a server',
      tags: ['versions'],
      description: 'Sorted by name. The ETag is that of the server.',
      params: ItemParams,
      headers: ReadHeaders,
      querystring: listQuery(),
      response: taggedPageResponses(VersionSchema),
    },
    handler: async (request, reply) => {
      const { tenant, id } = paramsOf(request);
      const stored = await context.store.findTenant(tenant);
      const server = stored === undefined ? undefined : findServer(stored.tenant, id);
      const revision = stored?.stamps[serverName(id)];
      if (server === undefined || revision === undefined) return sendProblem(reply, noSuchResource);
      const page = pageByName(server.versions, request, (item) => item.version);
      linkNext(reply, page);
      return sendRead(reply, { revision, body: { items: page.items } });
    },
  });
  app.get('/v1/tenants/:tenant/servers/:id/versions/:version', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'Read a published version',
      tags: ['versions'],
      params: VersionParams,
      headers: ReadHeaders,
      response: readResponses(VersionSchema),
    },
    handler: async (request, reply) =>
      sendVersion(reply, await context.store.findTenant(paramsOf(request).tenant), 200),
  });
};

const judge = (
  stored: StoredTenant | undefined,
  serverId: string,
  version: ServerVersion,
): Problem | undefined => {
  if (stored?.stamps[serverName(serverId)] === undefined) return noSuchResource;
  const refusal = judgeVersionTexts(stored.tenant, serverId, version);
  return refusal === undefined ? undefined : problemFromManifest(refusal);
};

const publish = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId, id, version: name } = paramsOf(request);
  const body = fillDefaults(INPUT, request.body as Json) as JsonObject;
  const version = { ...body, version: name } as unknown as ServerVersion;
  const record = recordOf(context, request, `publish ${versionName(id, name)}`);
  const result = await makeChange(context, request, {
    tenantId,
    record,
    submission: { serverId: id, version: name, actor: record.actor, at: record.at, requests: {} },
    judge: (stored) => judge(stored, id, version),
    command: (tenant) => publishVersion(tenant as Tenant, { serverId: id, version }, context.checkUrl),
  });
  if (!result.ok) return sendProblem(reply, result.error);
  const isNew = result.value.before !== result.value.stored;
  return sendVersion(reply, result.value.stored, isNew ? 201 : 200);
};

export const registerVersions = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  app.put('/v1/tenants/:tenant/servers/:id/versions/:version', {
    config: { access: 'write' },
    schema: withWait({
      summary: 'Publish a version of a server',
      description:
        'A published version never changes, so no If-Match is needed: the same again is accepted and does nothing, another one under its name is refused with 409. The lint of manifests applies. It is served once it is activated; GET …/review says whether that needs an approval.',
      tags: ['versions'],
      params: VersionParams,
      headers: WriteHeaders,
      body: inputForm(INPUT),
      response: writeResponses(VersionSchema),
    }),
    preHandler: async (request, reply) => {
      const given = (request.body as { readonly version?: string }).version;
      if (given === undefined || given === paramsOf(request).version) return undefined;
      return sendProblem(reply, {
        status: 422,
        code: 'invalid-resource',
        detail: 'The resource is not valid.',
        errors: [{ pointer: '/version', message: 'differs from the path' }],
      });
    },
    handler: async (_request, reply) => publish(context, reply),
  });
};
