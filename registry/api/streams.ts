// /v1/tenants/{tenant}/streams/terminate: ends live streams. Changes no configuration, so it makes no revision.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { TerminateStreams } from '#core/feed-message.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, recordOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, REPLAYED } from '#registry/api/response-schema.ts';
import { ActionHeaders, PROBLEM_RESPONSES, Reason, TenantParams } from '#registry/api/route-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';

const TerminateBody = Type.Object(
  {
    serverId: Type.Optional(Id),
    principal: Type.Optional(Type.String({ minLength: 1, maxLength: 2_048 })),
    reason: Reason,
  },
  { additionalProperties: false },
);

const EventSchema = Type.Object({
  id: Type.String(),
  kind: Type.Enum(['terminate-streams']),
  tenantId: Id,
  serverId: Type.Optional(Id),
  principal: Type.Optional(Type.String()),
  reason: Type.String(),
  actor: Type.String(),
  at: Type.String({ format: 'date-time' }),
});

type Scope = { readonly serverId?: string; readonly principal?: string };

const isThere = (tenant: Tenant, serverId: string | undefined): boolean =>
  serverId === undefined || findServer(tenant, serverId) !== undefined;

export const registerStreams = (app: FastifyInstance, context: ApiContext): void => {
  app.post('/v1/tenants/:tenant/streams/terminate', {
    config: { access: 'operate', reasonInBody: true, keyed: true },
    schema: {
      summary: 'End live streams of a tenant, of one server or of one caller',
      tags: ['streams'],
      params: TenantParams,
      headers: Type.Object({ ...ActionHeaders.properties, ...IdempotencyHeader }),
      body: TerminateBody,
      response: { 202: answerOf(EventSchema, REPLAYED, 'Announced to every consumer'), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant: tenantId } = paramsOf(request);
      const { serverId, principal } = request.body as Scope;
      const stored = await context.store.findTenant(tenantId);
      // A slip in an emergency must not look like success. Streams of a server that was removed ended with it.
      if (stored === undefined || !isThere(stored.tenant, serverId))
        return sendProblem(reply, noSuchResource);
      const record = recordOf(context, request, 'terminate streams');
      const event: TerminateStreams = {
        kind: 'terminate-streams',
        id: context.newId(),
        tenantId,
        ...(serverId === undefined ? {} : { serverId }),
        ...(principal === undefined ? {} : { principal }),
        reason: record.reason,
        actor: record.actor,
        at: record.at,
      };
      await context.store.announce(event, record);
      return reply.code(202).send(event);
    },
  });
};
