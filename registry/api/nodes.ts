// /v1/nodes: which Envoys there are, what each is, and how far it has come. For operators of the platform: a node serves
// several tenants, and what it refused may name any of them.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { linkNext, listQuery, pageByName } from '#registry/api/paging.ts';
import { answerOf, NEXT } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import { NODE_FACTS_FIELDS, NodeId } from '#registry/feed/schema/status-schema.ts';
import { type FleetNode, listFleet } from '#registry/rollout/fleet.ts';

const State = Type.Enum(['connected', 'gone', 'unknown'], {
  description: '`unknown`: its xds-server is not on the feed; calls may well go through it.',
});

const Config = Type.Enum(['in_sync', 'pending', 'rejected', 'unknown'], {
  description:
    '`in_sync`: it has the last commit. `rejected`: it refuses something that it is to have now. `unknown`: it is not connected.',
});

const { connectedSince: _asSince, ...FACTS } = NODE_FACTS_FIELDS;

export const NodeSchema = Type.Object({
  id: NodeId,
  state: State,
  since: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'Of the state; null: its xds-server is too old to say.',
  }),
  xdsServer: Type.String({ description: 'Name on the feed of the xds-server it is or was connected to.' }),
  connections: Type.Integer({
    description: 'More than one: Envoys that share an id, or one that came back.',
  }),
  config: Config,
  acknowledgedSequence: Type.Integer({ description: 'Commit of which it has taken what it did not refuse.' }),
  rejected: Type.Integer({ description: 'Number of resources that it refuses now.' }),
  ...FACTS,
  group: Type.Optional(FACTS.group),
  protocol: Type.Optional(FACTS.protocol),
});

const FILTERS = {
  group: Type.Optional(FACTS.group),
  region: FACTS.region,
  state: Type.Optional(State),
  config: Type.Optional(Config),
};

/** Ids of nodes are the operator's own, and longer than ours. */
const Query = Type.Object(
  { ...listQuery(FILTERS).properties, after: Type.Optional(NodeId) },
  { additionalProperties: false },
);

const isMeant = (node: FleetNode, query: Partial<Record<keyof typeof FILTERS, string>>): boolean =>
  (['group', 'region', 'state', 'config'] as const).every(
    (name) => query[name] === undefined || query[name] === node[name],
  );

/** Every Envoy, whatever xds-server and whatever registry it is known to. */
export const readFleet = async (context: ApiContext) => {
  const last = await context.store.lastSequence();
  const nodes = listFleet(await context.consumers(), { last, nowMs: context.nowMs() });
  return { last, nodes };
};

export const registerNodes = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/nodes', {
    config: { access: 'platform' },
    schema: {
      summary: 'List the Envoys that are connected, or were within the last hour',
      description: 'Sorted by id.',
      tags: ['operations'],
      querystring: Query,
      response: {
        200: answerOf(
          Type.Object({
            sequence: Type.Integer({ description: 'Of the last commit.' }),
            items: Type.Array(NodeSchema),
          }),
          NEXT,
        ),
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async (request: FastifyRequest, reply) => {
      const { last, nodes } = await readFleet(context);
      const query = request.query as Parameters<typeof isMeant>[1];
      const page = pageByName(
        nodes.filter((node) => isMeant(node, query)),
        request,
        ({ id }) => id,
      );
      linkNext(reply, page);
      return { sequence: last, items: page.items };
    },
  });
};
