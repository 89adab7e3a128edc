// /v1/tenants/{tenant}/kill-switches: what is switched off in an emergency, by operators too. Throwing one asks for no
// condition unless it would release something; releasing always does.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { hasLapsed, type KillSwitch } from '#core/kill-switch.ts';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { linkNext, listQuery, pageByName } from '#registry/api/paging.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { conditionsOf, paramsOf, recordOf, sendProblem, sendResource } from '#registry/api/request-facts.ts';
import {
  actionResponses,
  livePageResponses,
  removalResponses,
  writeResponses,
} from '#registry/api/response-schema.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ItemParams, Reason, TenantParams, ThrowHeaders, WriteHeaders } from '#registry/api/route-schema.ts';
import {
  findKillSwitch,
  putKillSwitch,
  releases,
  removeKillSwitch,
  type SentSwitch,
} from '#registry/commands/kill-switch.ts';
import type { Refusal } from '#registry/commands/outcome.ts';
import { killSwitchName } from '#registry/commands/resources.ts';
import {
  KillSwitchSchema,
  SentTargetSchema,
  SWITCH_FIELDS,
} from '#registry/feed/schema/kill-switch-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import type { StoredTenant } from '#registry/store/store.ts';

const LIST = '/v1/tenants/:tenant/kill-switches';
const ITEM = `${LIST}/:id`;
const TAGS = ['kill-switches'];

const State = Type.Enum(['thrown', 'lapsed'], {
  description: 'lapsed: `until` has passed, it stops nobody.',
});

const View = Type.Object({ ...KillSwitchSchema.properties, state: State });

const SwitchBody = Type.Object(
  { id: Type.Optional(Id), target: SentTargetSchema, ...SWITCH_FIELDS, reason: Reason },
  { additionalProperties: false },
);

type Sent = Omit<SentSwitch, 'id'> & { readonly id?: string; readonly reason?: string };

/** `until` decides, not a write: the same switch reads `thrown` now and `lapsed` later, hence no 304 on reads. */
const viewOf = (thrown: KillSwitch, nowMs: number) => ({
  ...thrown,
  state: hasLapsed(thrown, nowMs) ? 'lapsed' : 'thrown',
});

const send = (
  context: ApiContext,
  reply: FastifyReply,
  { stored, status = 200 }: { readonly stored: StoredTenant | undefined; readonly status?: 200 | 201 },
): FastifyReply => {
  const { id } = paramsOf(reply.request);
  const thrown = stored === undefined ? undefined : findKillSwitch(stored.tenant, id);
  const revision = stored?.stamps[killSwitchName(id)];
  return thrown === undefined || revision === undefined
    ? sendProblem(reply, noSuchResource)
    : sendResource(reply, { status, revision, body: viewOf(thrown, context.nowMs()) });
};

const registerReads = (app: FastifyInstance, context: ApiContext): void => {
  app.get(LIST, {
    config: { access: 'read' },
    schema: {
      summary: 'List kill switches, lapsed ones included',
      tags: TAGS,
      params: TenantParams,
      querystring: listQuery({ state: Type.Optional(State) }),
      response: livePageResponses(View),
    },
    handler: async (request, reply) => {
      const stored = await context.store.findTenant(paramsOf(request).tenant);
      if (stored === undefined) return sendProblem(reply, noSuchResource);
      const nowMs = context.nowMs();
      const { state } = request.query as { readonly state?: string };
      const items = stored.tenant.killSwitches
        .map((thrown) => viewOf(thrown, nowMs))
        .filter((view) => state === undefined || view.state === state);
      const page = pageByName(items, request, ({ id }) => id);
      linkNext(reply, page);
      const { revision } = stored.tenant;
      return sendResource(reply, { status: 200, revision, body: { items: page.items } });
    },
  });
  app.get(ITEM, {
    config: { access: 'read' },
    schema: {
      summary: 'Read a kill switch',
      tags: TAGS,
      params: ItemParams,
      response: actionResponses(View),
    },
    handler: async (request, reply) =>
      send(context, reply, { stored: await context.store.findTenant(paramsOf(request).tenant) }),
  });
};

const WOULD_RELEASE: Problem = {
  status: 428,
  code: 'precondition-required',
  detail:
    'A switch of this id stops something else, or for longer: this would release it. Take another id, or send If-Match.',
};

/** Nobody loses a race by throwing a switch; but two who take one id must not release each other's. */
const judgeThrow =
  (context: ApiContext, reply: FastifyReply, sent: SentSwitch) =>
  (stored: StoredTenant | undefined): Problem | undefined => {
    if (stored === undefined) return noSuchResource;
    const conditions = conditionsOf(reply.request);
    const thrown = findKillSwitch(stored.tenant, sent.id);
    const isFree = conditions.ifMatch === undefined && conditions.ifNoneMatch === undefined;
    if (!isFree) return judgePrecondition(conditions, stored.stamps[killSwitchName(sent.id)]);
    return thrown !== undefined && releases(thrown, sent, context.nowMs()) ? WOULD_RELEASE : undefined;
  };

const OTHER_ID: Refusal = {
  kind: 'invalid',
  faults: [{ pointer: '/id', message: 'differs from the path' }],
};

const throwSwitch = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId, id } = paramsOf(request);
  const { reason: _reason, id: givenId = id, ...body } = request.body as Sent;
  const sent: SentSwitch = { ...body, id };
  const result = await makeChange(context, reply.request, {
    tenantId,
    record: recordOf(context, request, `throw ${killSwitchName(id)}`),
    isUrgent: true,
    judge: judgeThrow(context, reply, sent),
    // `judge` has refused a tenant that does not exist.
    command: (tenant) =>
      givenId === id ? putKillSwitch(tenant as Tenant, sent, context.nowMs()) : err(OTHER_ID),
  });
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored, before } = result.value;
  const isNew = before === undefined || findKillSwitch(before.tenant, id) === undefined;
  return send(context, reply, { stored, status: isNew ? 201 : 200 });
};

const registerThrow = (app: FastifyInstance, context: ApiContext): void => {
  app.put(ITEM, {
    config: { access: 'operate', reasonInBody: true },
    schema: withWait({
      summary: 'Throw a kill switch',
      description:
        'Refused everywhere within a second, open streams ended. Needs no If-Match, unless a switch of this id would be released by it: another target, or an earlier end.',
      tags: TAGS,
      params: ItemParams,
      headers: ThrowHeaders,
      body: SwitchBody,
      response: writeResponses(View),
    }),
    handler: async (_request, reply) => throwSwitch(context, reply),
  });
};

const release = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { tenant: tenantId, id } = paramsOf(reply.request);
  const result = await makeChange(context, reply.request, {
    tenantId,
    record: recordOf(context, reply.request, `release ${killSwitchName(id)}`),
    judge: (stored) => {
      const revision = stored?.stamps[killSwitchName(id)];
      return revision === undefined
        ? noSuchResource
        : judgePrecondition(conditionsOf(reply.request), revision);
    },
    command: (tenant) => removeKillSwitch(tenant as Tenant, id),
  });
  return result.ok ? reply.code(204).send() : sendProblem(reply, result.error);
};

const registerRelease = (app: FastifyInstance, context: ApiContext): void => {
  app.delete(ITEM, {
    config: { access: 'operate' },
    schema: withWait({
      summary: 'Release a kill switch, or clear away one that has lapsed',
      tags: TAGS,
      params: ItemParams,
      headers: WriteHeaders,
      response: removalResponses,
    }),
    handler: async (_request, reply) => release(context, reply),
  });
};

export const registerKillSwitches = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  registerThrow(app, context);
  registerRelease(app, context);
};
