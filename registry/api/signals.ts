// /v1/tenants/{tenant}/issuers/{id}/signals: the channels by which an issuer's revocations come, where each listens and when
// something true last came by it. Nothing of it is configuration, and none of it is part of a revision.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { TrustedIssuer } from '#core/issuer.ts';
import { findIssuer } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { ItemParams, PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import { addressesOf } from '#registry/signals/channel-address.ts';
import { hasChannel, isQuiet } from '#registry/signals/channel-states.ts';
import {
  SIGNAL_CHANNELS,
  type SignalChannelName,
  type SignalChannelState,
  STREAM_STATUSES,
} from '#registry/store/signal.ts';

const Moment = Type.String({ format: 'date-time' });

const View = Type.Object({
  items: Type.Array(
    Type.Object({
      channel: Type.Enum([...SIGNAL_CHANNELS]),
      address: Type.Optional(
        Type.String({ description: 'Where it listens; absent while no receiver is configured.' }),
      ),
      heardAt: Type.Optional(
        Type.String({ format: 'date-time', description: 'When something true last came by it.' }),
      ),
      verifiedAt: Type.Optional(Moment),
      verifiedState: Type.Optional(
        Type.String({
          description: '`state` of the last verification event, to be compared by whoever asked for it.',
        }),
      ),
      streamStatus: Type.Optional(Type.Enum([...STREAM_STATUSES])),
      stale: Type.Boolean({ description: 'Silent for longer than `maxQuietSeconds`.' }),
    }),
  ),
});

const momentOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

const viewOf = (state: SignalChannelState | undefined) => ({
  ...(state === undefined ? {} : { heardAt: momentOf(state.heardAtMs) }),
  ...(state?.verifiedAtMs === undefined ? {} : { verifiedAt: momentOf(state.verifiedAtMs) }),
  ...(state?.verifiedState === undefined ? {} : { verifiedState: state.verifiedState }),
  ...(state?.streamStatus === undefined ? {} : { streamStatus: state.streamStatus }),
});

type Known = {
  readonly tenantId: string;
  readonly issuer: TrustedIssuer;
  readonly states: readonly SignalChannelState[];
};

const itemOf = (context: ApiContext, { tenantId, issuer, states }: Known, channel: SignalChannelName) => {
  const state = states.find(
    (one) => one.tenantId === tenantId && one.issuerId === issuer.id && one.channel === channel,
  );
  const { events, graph } = addressesOf(context.signalsUrl ?? '', tenantId, issuer.id);
  return {
    channel,
    ...(context.signalsUrl === undefined ? {} : { address: channel === 'graph' ? graph : events }),
    ...viewOf(state),
    stale: channel === 'shared-signals' && isQuiet(issuer, state, context.nowMs()),
  };
};

export const registerSignals = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/tenants/:tenant/issuers/:id/signals', {
    config: { access: 'read' },
    schema: {
      summary: 'Read by which channels revocations of an issuer come, and when one last did',
      tags: ['revocations'],
      params: ItemParams,
      response: { 200: View, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant: tenantId, id } = paramsOf(request);
      const stored = await context.store.findTenant(tenantId);
      const issuer = stored === undefined ? undefined : findIssuer(stored.tenant, id);
      if (issuer === undefined) return sendProblem(reply, noSuchResource);
      const states = await context.store.listSignalChannels();
      const channels = SIGNAL_CHANNELS.filter((channel) => hasChannel(issuer, channel));
      return reply.send({
        items: channels.map((channel) => itemOf(context, { tenantId, issuer, states }, channel)),
      });
    },
  });
};
