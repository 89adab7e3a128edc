// /v1/tenants/{tenant}/revisions and /audit: what changed, who did it and why.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { linkNext, pageByNumber } from '#registry/api/paging.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { ActionFilter, RECORD_FILTERS, ResourceFilter, readTimes } from '#registry/api/record-filters.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { pageResponses } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES, pageQuery, TenantParams } from '#registry/api/route-schema.ts';
import { TenantSchema } from '#registry/feed/schema/tenant-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import type { AuditPage, RevisionSummary, RevisionsPage } from '#registry/store/store.ts';

const RECORD = {
  actor: Type.String(),
  action: Type.String(),
  reason: Type.String(),
  at: Type.String({ format: 'date-time' }),
};

const SUMMARY = {
  number: Type.Integer(),
  sequence: Type.Integer(),
  changes: Type.Array(Type.String()),
  ...RECORD,
};

const LINKS = {
  links: Type.Object({ diff: Type.String({ description: 'Path of what the revision changed.' }) }),
};

const withLinks = <T extends RevisionSummary>(tenantId: string, revision: T) => ({
  ...revision,
  links: { diff: `/v1/tenants/${tenantId}/revisions/${revision.number}/diff` },
});

const AuditSchema = Type.Object({
  number: Type.Integer({ description: 'Counts the records of all tenants.' }),
  kind: Type.Enum(['change', 'event', 'refusal']),
  tenantId: Type.String(),
  ...RECORD,
  sequence: Type.Optional(Type.Integer({ description: 'Of the commit; a refusal is none.' })),
  target: Type.Optional(
    Type.String({ description: 'Whom a revocation is about; `erased` once his key in the audit was.' }),
  ),
  status: Type.Optional(Type.Integer({ description: 'With which a write was refused.' })),
  code: Type.Optional(Type.String({ description: 'Code of the problem with which it was.' })),
  count: Type.Optional(Type.Integer({ description: 'How often within a second.' })),
  mac: Type.Optional(Type.String({ description: 'Absent from records older than the key of the chain.' })),
});

export const RevisionParams = Type.Object({
  tenant: Id,
  number: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }),
});

const registerRevisions = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get('/v1/tenants/:tenant/revisions', {
    config: { access: 'read' },
    schema: {
      summary: 'List the revisions of a tenant, newest first',
      tags: ['history'],
      params: TenantParams,
      querystring: pageQuery({ ...RECORD_FILTERS, resource: Type.Optional(ResourceFilter) }),
      response: pageResponses(Type.Object({ ...SUMMARY, ...LINKS })),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = readTimes(request.query as RevisionsPage);
      const load = (limit: number) => store.listRevisions(tenant, { ...query, limit });
      const page = await pageByNumber(query.limit, load, ({ number }) => number);
      linkNext(reply, page);
      return { items: page.items.map((revision) => withLinks(tenant, revision)) };
    },
  });
  app.get('/v1/tenants/:tenant/revisions/:number', {
    config: { access: 'read' },
    schema: {
      summary: 'Read one revision, with the tenant as it stood after it',
      tags: ['history'],
      params: RevisionParams,
      response: {
        200: Type.Object({ ...SUMMARY, ...LINKS, tenant: Type.Union([TenantSchema, Type.Null()]) }),
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async (request, reply) => {
      const { tenant, number } = paramsOf(request);
      const revision = await store.findRevision(tenant, Number(number));
      return revision === undefined ? sendProblem(reply, noSuchResource) : withLinks(tenant, revision);
    },
  });
};

export const registerHistory = (app: FastifyInstance, context: ApiContext): void => {
  registerRevisions(app, context);
  app.get('/v1/tenants/:tenant/audit', {
    config: { access: 'audit' },
    schema: {
      summary: 'List the audit records of a tenant, newest first',
      tags: ['history'],
      params: TenantParams,
      querystring: pageQuery({ ...RECORD_FILTERS, action: Type.Optional(ActionFilter) }),
      response: pageResponses(AuditSchema),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = readTimes(request.query as AuditPage);
      const load = (limit: number) => context.store.listAudit(tenant, { ...query, limit });
      const page = await pageByNumber(query.limit, load, ({ number }) => number);
      linkNext(reply, page);
      return { items: page.items };
    },
  });
};
