// /v1/tenants/{tenant}/rollout/{revision}: how far a revision has come, consumer by consumer and Envoy by Envoy.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';
import { placeOfRevision } from '#registry/api/rollout/place.ts';
import { PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import { assessRollout } from '#registry/rollout/assess.ts';

const State = Type.Enum(['applied', 'pending', 'rejected'], {
  description: 'A revision that was superseded is applied once a later one is.',
});

const RefusedSchema = Type.Object({
  typeUrl: Type.String(),
  resource: Type.String({ description: 'Name of the Envoy resource' }),
  message: Type.String({ description: "Envoy's reason, redacted" }),
  broughtBy: Type.Enum(['this-revision', 'this-or-others', 'another-revision'], {
    description: '`this-or-others`: it reached the Envoys together with other revisions of the tenant.',
  }),
});

const NodeSchema = Type.Object({
  nodeId: Type.String(),
  acknowledgedSequence: Type.Integer(),
  state: State,
  rejected: Type.Array(RefusedSchema, { description: 'What it refuses of this tenant now.' }),
});

const ConsumerSchema = Type.Object({
  consumer: Type.String(),
  connected: Type.Boolean(),
  sequence: Type.Union([Type.Integer(), Type.Null()], { description: 'What it serves.' }),
  reportedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  state: Type.Enum(['applied', 'pending', 'rejected', 'absent'], {
    description: '`absent`: away for so long that nobody waits for it.',
  }),
  nodes: Type.Array(NodeSchema, { description: 'The Envoys connected to it.' }),
});

export const RolloutSchema = Type.Object({
  tenant: Id,
  revision: Type.Integer(),
  sequence: Type.Integer(),
  state: State,
  consumers: Type.Array(ConsumerSchema),
});

const RolloutParams = Type.Object({ tenant: Id, revision: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) });

/** The path of a revision's rollout. */
export const rolloutPath = (tenantId: string, revision: number): string =>
  `/v1/tenants/${tenantId}/rollout/${revision}`;

export const registerRollout = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/tenants/:tenant/rollout/:revision', {
    config: { access: 'read' },
    schema: {
      summary: 'Read how far a revision has come, per consumer of the feed and per Envoy',
      tags: ['history'],
      params: RolloutParams,
      response: { 200: RolloutSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const params = request.params as { readonly tenant: string; readonly revision: string };
      const [tenantId, revision] = [params.tenant, Number(params.revision)];
      const place = await placeOfRevision(context.store, tenantId, revision);
      if (place === undefined) return sendProblem(reply, noSuchResource);
      const rollout = assessRollout(await context.consumers(), { tenantId, place, nowMs: context.nowMs() });
      return { tenant: tenantId, revision, sequence: place.sequence, ...rollout };
    },
  });
};
