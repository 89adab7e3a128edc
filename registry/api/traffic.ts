// /v1/tenants/{tenant}/servers/{id}/traffic: how the calls of a server are spread over its versions.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { McpServer } from '#core/server.ts';
import { findServer } from '#core/tenant.ts';
import { type Shares, sharesAt } from '#core/traffic-split.ts';
import { ACTIVATION_REFUSED } from '#registry/api/approvals/review-schema.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema } from '#registry/api/dry-run.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem, sendResource } from '#registry/api/request-facts.ts';
import { actionResponses } from '#registry/api/response-schema.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ItemParams, WriteHeaders } from '#registry/api/route-schema.ts';
import { runServerAction } from '#registry/api/server-action.ts';
import { serverName } from '#registry/commands/resources.ts';
import { endTraffic, putTraffic, type SentTraffic } from '#registry/commands/traffic.ts';
import { SENT_TRAFFIC_FIELDS, SHARES_FIELDS, TrafficSchema } from '#registry/feed/schema/traffic-schema.ts';

const PATH = '/v1/tenants/:tenant/servers/:id/traffic';
const TAGS = ['traffic'];

const { lastAbort: LastAbort, ...SPLIT_FIELDS } = TrafficSchema.properties;

const TrafficView = Type.Object({
  activeVersion: Type.String({ description: 'Gets all calls where there is no split.' }),
  now: Type.Object(
    { weights: Type.Array(SHARES_FIELDS.weights.items), tools: SHARES_FIELDS.tools },
    { description: 'The shares that hold at the moment of the answer; none before the first activation.' },
  ),
  split: Type.Optional(Type.Object(SPLIT_FIELDS, { description: 'What PUT takes; absent: there is none.' })),
  lastAbort: Type.Optional(LastAbort),
});

const sharesOf = ({ activeVersion, traffic }: McpServer, nowMs: number): Shares => {
  if (traffic !== undefined) return sharesAt(traffic, nowMs);
  return { weights: activeVersion === '' ? [] : [{ version: activeVersion, weight: 1 }], tools: [] };
};

/** The clock decides what holds, not a write: the same split reads otherwise later, hence no 304. */
const trafficView = (server: McpServer, nowMs: number) => {
  const { lastAbort, ...split } = server.traffic ?? {};
  return {
    activeVersion: server.activeVersion,
    now: sharesOf(server, nowMs),
    ...(server.traffic === undefined ? {} : { split }),
    ...(lastAbort === undefined ? {} : { lastAbort }),
  };
};

const RESPONSES = actionResponses(Type.Union([TrafficView, DryRunSchema]));

const registerRead = (app: FastifyInstance, context: ApiContext): void => {
  app.get(PATH, {
    config: { access: 'read' },
    schema: {
      summary: 'Read how the calls of a server are spread over its versions',
      description: 'The ETag is that of the server.',
      tags: TAGS,
      params: ItemParams,
      response: actionResponses(TrafficView),
    },
    handler: async (request, reply) => {
      const { tenant, id } = paramsOf(request);
      const stored = await context.store.findTenant(tenant);
      const server = stored === undefined ? undefined : findServer(stored.tenant, id);
      const revision = stored?.stamps[serverName(id)];
      if (server === undefined || revision === undefined) return sendProblem(reply, noSuchResource);
      return sendResource(reply, { status: 200, revision, body: trafficView(server, context.nowMs()) });
    },
  });
};

const registerPut = (app: FastifyInstance, context: ApiContext): void => {
  app.put(PATH, {
    config: { access: 'write' },
    schema: withWait({
      summary: 'Spread the calls of a server over its versions',
      description:
        'At once by `weights`, later by `steps`. Callers keep their version while shares grow; a session keeps it for life. Every version named must be approved, as for an activation. If-Match takes the ETag of the server or of this.',
      tags: TAGS,
      params: ItemParams,
      headers: WriteHeaders,
      querystring: DryRunQuery,
      body: Type.Object(SENT_TRAFFIC_FIELDS, { additionalProperties: false }),
      response: { ...RESPONSES, ...ACTIVATION_REFUSED },
    }),
    handler: async (request, reply) => {
      const sent = request.body as SentTraffic;
      const nowMs = context.nowMs();
      return runServerAction(context, reply, {
        action: 'spread the calls of',
        needsMatch: true,
        manner: 'split',
        servesVersions: true,
        command: (tenant, serverId) => putTraffic(tenant, { serverId, sent, nowMs }, context.checkUrl),
        view: (server) => trafficView(server, nowMs),
      });
    },
  });
};

const registerEnd = (app: FastifyInstance, context: ApiContext): void => {
  app.delete(PATH, {
    config: { access: 'write' },
    schema: withWait({
      summary: 'End the split: all calls go to the active version',
      description: 'What is withdrawn stays withdrawn; a PUT that names `withdrawn` lifts it.',
      tags: TAGS,
      params: ItemParams,
      headers: WriteHeaders,
      querystring: DryRunQuery,
      response: { ...RESPONSES, ...ACTIVATION_REFUSED },
    }),
    handler: async (_request, reply) =>
      runServerAction(context, reply, {
        action: 'end the split of',
        needsMatch: true,
        manner: 'split',
        command: endTraffic,
        view: (server) => trafficView(server, context.nowMs()),
      }),
  });
};

export const registerTraffic = (app: FastifyInstance, context: ApiContext): void => {
  registerRead(app, context);
  registerPut(app, context);
  registerEnd(app, context);
};
