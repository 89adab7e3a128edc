// /v1/tenants/{tenant}/servers/{id}/drift: tools that a server describes otherwise than was approved, field by field. There
// is nothing to write: what is served is approved by publishing it as a version, like anything else.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { responseGuardOf } from '#core/guard-in-force.ts';
import { DRIFT_MODES } from '#core/response-guard.ts';
import { servedNames } from '#core/served-versions.ts';
import type { McpServer } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { type ListPage, linkNext } from '#registry/api/paging.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { pageResponses } from '#registry/api/response-schema.ts';
import { ItemParams } from '#registry/api/route-schema.ts';
import { DriftChangeSchema, DriftDigest, Replica } from '#registry/feed/schema/drift-schema.ts';
import { ToolName, VersionName } from '#registry/feed/schema/words.ts';
import type { DriftedTool } from '#registry/store/drift.ts';

const MAX_LIST = 200;

const ListQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: 256,
        pattern: '^[A-Za-z0-9._+-]+/[A-Za-z0-9_.-]+$',
        description: '`{version}/{tool}` of the last entry of the page before.',
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: MAX_LIST, default: 50 }),
  },
  { additionalProperties: false },
);

const Moment = Type.String({ format: 'date-time' });

const ReplicaView = Type.Object({
  replica: Replica,
  digest: Type.Optional(
    Type.String({
      ...DriftDigest,
      description: 'SHA-256 of what it serves; absent: what was approved, last time it was seen.',
    }),
  ),
  firstSeen: Type.String({ format: 'date-time', description: 'Since when it serves this.' }),
  lastSeen: Moment,
});

const DifferenceView = Type.Object({
  digest: DriftDigest,
  changes: Type.Array(DriftChangeSchema, {
    description:
      'From what was approved to what is served; pointers lead into the tool. The first 32, long texts cut: it is what the server says, and nothing to act on unread.',
  }),
});

const View = Type.Object({
  version: VersionName,
  tool: ToolName,
  since: Moment,
  mode: Type.Enum([...DRIFT_MODES], {
    description:
      'What is done about it: `hide`: the tool is in no list and calls to it are refused; `pinned`: it is shown as it was approved; `report`: it is shown as it is served.',
  }),
  served: Type.Boolean({ description: 'False: no new session gets this version.' }),
  replicasDisagree: Type.Boolean({ description: 'Not all replicas that were seen serve the same.' }),
  replicas: Type.Array(ReplicaView),
  differences: Type.Array(DifferenceView, { description: 'What each digest stands for.' }),
});

/** One for each digest: replicas that serve the same differ in the same. */
const differencesOf = ({ replicas }: DriftedTool) => [
  ...new Map(
    replicas.flatMap(({ digest, changes }) =>
      digest === undefined ? [] : [[digest, { digest, changes }] as const],
    ),
  ).values(),
];

const viewOf = (tenant: Tenant, server: McpServer, drifted: DriftedTool) => {
  const { version, tool, since, replicas } = drifted;
  return {
    version,
    tool,
    since,
    mode: responseGuardOf(tenant, server).drift,
    served: servedNames(server).includes(version),
    replicasDisagree: new Set(replicas.map(({ digest }) => digest)).size > 1,
    replicas: replicas.map(({ replica, digest, firstSeen, lastSeen }) => ({
      replica,
      ...(digest === undefined ? {} : { digest }),
      firstSeen,
      lastSeen,
    })),
    differences: differencesOf(drifted),
  };
};

const pageOf = (found: readonly DriftedTool[], limit: number): ListPage<DriftedTool> => {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last !== undefined
    ? { items, next: { after: `${last.version}/${last.tool}` } }
    : { items };
};

export const registerDrift = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get('/v1/tenants/:tenant/servers/:id/drift', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'List tools that the server serves otherwise than was approved, sorted by version and tool',
      description:
        'As lists that went through the gateway showed it. An entry is over when its replicas serve what was approved again, or can get no call any more. To approve what is served, publish it as a new version and put that into service.',
      tags: ['servers'],
      params: ItemParams,
      querystring: ListQuery,
      response: pageResponses(View),
    },
    handler: async (request, reply) => {
      const { tenant: tenantId, id: serverId } = paramsOf(request);
      const stored = await store.findTenant(tenantId);
      const server = stored === undefined ? undefined : findServer(stored.tenant, serverId);
      if (stored === undefined || server === undefined) return sendProblem(reply, noSuchResource);
      const { after, limit } = request.query as { readonly after?: string; readonly limit: number };
      const wanted = { ...(after === undefined ? {} : { after }), limit: limit + 1 };
      const page = pageOf(await store.listDrift({ tenantId, serverId }, wanted), limit);
      linkNext(reply, page);
      return { items: page.items.map((drifted) => viewOf(stored.tenant, server, drifted)) };
    },
  });
};
