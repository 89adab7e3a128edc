// GET …/versions/{version}/review, and /v1/tenants/{tenant}/approvals: what waits for a person.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { loadReview } from '#registry/api/approvals/load-reviews.ts';
import {
  ReviewSchema,
  reviewView,
  SUMMARY_FIELDS,
  summaryView,
} from '#registry/api/approvals/review-schema.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { type ListPage, linkNext } from '#registry/api/paging.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { pageResponses } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES, TenantParams } from '#registry/api/route-schema.ts';
import {
  factsOf,
  REVIEW_STATES,
  type ReviewState,
  type ReviewSummary,
  summariseVersion,
} from '#registry/approval/review.ts';
import { Id, VersionName } from '#registry/feed/schema/words.ts';
import type { Store } from '#registry/store/store.ts';

export const VersionParams = Type.Object({ tenant: Id, id: Id, version: VersionName });

const MAX_LIST = 200;

const ListQuery = Type.Object(
  {
    state: Type.Enum([...REVIEW_STATES], { default: 'waiting' }),
    server: Type.Optional(Id),
    after: Type.Optional(
      Type.String({
        maxLength: 128,
        pattern: '^[a-z0-9-]+/[A-Za-z0-9._+-]+$',
        description: '`{server}/{version}` of the last entry of the page before.',
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: MAX_LIST, default: 50 }),
  },
  { additionalProperties: false },
);

type List = {
  readonly state: ReviewState;
  readonly server?: string;
  readonly after?: string;
  readonly limit: number;
};

const byVersion = (a: ServerVersion, b: ServerVersion): number => (a.version < b.version ? -1 : 1);

/** What is left of the server's versions behind the last entry of the page before. */
const restOf = ({ id, versions }: McpServer, after: string): readonly ServerVersion[] => {
  const [server = '', version = ''] = after.split('/');
  if (id < server) return [];
  return versions.filter((candidate) => id > server || candidate.version > version).toSorted(byVersion);
};

/** Server by server, so that a list of thousands holds up nobody's kill switch, and no longer than the page needs. */
const listReviews = async (
  store: Store,
  tenant: Tenant,
  { state, server, after = '', limit }: List,
): Promise<ListPage<ReviewSummary>> => {
  const found: ReviewSummary[] = [];
  for (const candidate of tenant.servers.filter(({ id }) => id === (server ?? id))) {
    // One more than the page holds tells whether there is another.
    if (found.length > limit) break;
    const versions = restOf(candidate, after);
    if (versions.length === 0) continue;
    const facts = factsOf(tenant, await store.findApprovals(tenant.id, candidate.id), candidate.id);
    const summaries = versions.map((version) => summariseVersion(facts, version));
    found.push(...summaries.filter((summary) => summary.state === state));
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return found.length > limit && last !== undefined
    ? { items: page, next: { after: `${last.serverId}/${last.version}` } }
    : { items: page };
};

const registerReview = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get('/v1/tenants/:tenant/servers/:id/versions/:version/review', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'Read how a version differs from what was approved, and what was decided',
      tags: ['approvals'],
      params: VersionParams,
      response: { 200: ReviewSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant: tenantId, id: serverId, version } = paramsOf(request);
      const stored = await store.findTenant(tenantId);
      const loaded =
        stored === undefined ? undefined : await loadReview(store, stored.tenant, { serverId, version });
      return stored === undefined || loaded === undefined
        ? sendProblem(reply, noSuchResource)
        : reviewView(stored.tenant, loaded.review);
    },
  });
};

export const registerReviews = (app: FastifyInstance, context: ApiContext): void => {
  registerReview(app, context);
  app.get('/v1/tenants/:tenant/approvals', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'List published versions by the state of their review, sorted by server and version',
      tags: ['approvals'],
      params: TenantParams,
      querystring: ListQuery,
      response: pageResponses(Type.Object(SUMMARY_FIELDS)),
    },
    handler: async (request, reply) => {
      const stored = await context.store.findTenant(paramsOf(request).tenant);
      if (stored === undefined) return sendProblem(reply, noSuchResource);
      const { tenant } = stored;
      const page = await listReviews(context.store, tenant, request.query as List);
      linkNext(reply, page);
      return { items: page.items.map((review) => summaryView(tenant, review)) };
    },
  });
};
