// /v1/tenants/{tenant}/servers/{id}/limits: where the limits of a server stand that move by themselves. It is what
// xds-servers said of it last; nothing of it is stored, and none of it is part of a revision.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { findServer } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { ItemParams, PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { AdaptiveSchema } from '#registry/feed/schema/adaptive-schema.ts';
import { PACE_FIELDS } from '#registry/feed/schema/pace-schema.ts';

const LimitsView = Type.Object({
  adaptive: Type.Optional(AdaptiveSchema),
  items: Type.Array(
    Type.Object({
      xdsServer: Type.String({ description: 'Who moves them: each goes by what its own Envoys report.' }),
      ...PACE_FIELDS,
    }),
    {
      description:
        'By xds-server and version. A version that was not called yet stands where it begins, and is not here.',
    },
  ),
});

/** One that is gone moves nothing any more. */
const standingOf = (consumers: readonly ConsumerEntry[], tenant: string, id: string) =>
  consumers
    .filter(({ connected }) => connected)
    .flatMap(({ consumer, status }) =>
      (status?.paces ?? [])
        .filter(({ tenantId, serverId }) => tenantId === tenant && serverId === id)
        .map(({ tenantId: _tenant, serverId: _server, ...pace }) => ({ xdsServer: consumer, ...pace })),
    );

export const registerLimits = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/tenants/:tenant/servers/:id/limits', {
    config: { access: 'read' },
    schema: {
      summary: 'Read where the limits of a server stand that move by themselves',
      description: 'Up to a few seconds old. The bounds are `adaptive` of the server.',
      tags: ['traffic'],
      params: ItemParams,
      response: { 200: LimitsView, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant, id } = paramsOf(request);
      const stored = await context.store.findTenant(tenant);
      const server = stored === undefined ? undefined : findServer(stored.tenant, id);
      if (server === undefined) return sendProblem(reply, noSuchResource);
      const { adaptive } = server;
      const items = standingOf(await context.consumers(), tenant, id);
      return reply.send({ ...(adaptive === undefined ? {} : { adaptive }), items });
    },
  });
};
