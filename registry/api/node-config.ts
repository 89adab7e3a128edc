// /v1/nodes/{id}/config: what an Envoy is to have, against what it says it has. Its xds-server is asked, since nobody else
// hears the Envoy; names, versions and words only.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { NodeConfigQuestion } from '#core/feed-message.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { NodeSchema, readFleet } from '#registry/api/nodes.ts';
import { linkNext } from '#registry/api/paging.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, NEXT } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import {
  NODE_CONFIG_FIELDS,
  ResourceKindName,
  ResourceStateSchema,
} from '#registry/feed/schema/node-config-schema.ts';
import { NodeId } from '#registry/feed/schema/status-schema.ts';
import type { FleetNode } from '#registry/rollout/fleet.ts';

const Query = Type.Object(
  {
    kind: Type.Optional(ResourceKindName),
    state: Type.Optional(ResourceStateSchema),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 600,
        description: 'Resources that sort after this `kind/name`.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 200 })),
  },
  { additionalProperties: false },
);

/** Why nobody can say what it has. */
const BECAUSE = ['not-connected', 'xds-server-away', 'not-here', 'no-answer'] as const;
type Because = (typeof BECAUSE)[number];

const AnswerSchema = Type.Object({
  node: NodeSchema,
  config: Type.Union([Type.Object(NODE_CONFIG_FIELDS), Type.Null()], {
    description: 'null: nobody can say, see `unknownBecause`. Sorted by kind and name.',
  }),
  unknownBecause: Type.Optional(
    Type.Enum(BECAUSE, {
      description:
        '`not-here`: its xds-server follows another registry of this database, or is too old to answer. `xds-server-away`: it is on no feed.',
    }),
  ),
});

const findBecause = ({ state }: FleetNode): Because | undefined => {
  if (state === 'connected') return undefined;
  return state === 'gone' ? 'not-connected' : 'xds-server-away';
};

/** What its xds-server says, or why there is nothing said. */
const askFor = async (context: ApiContext, node: FleetNode, question: NodeConfigQuestion) => {
  const because = findBecause(node);
  if (because !== undefined) return { because };
  const asked = await context.nodeConfig(node.xdsServer, question);
  if (!asked.ok) return { because: asked.error };
  // It left between the report and the question.
  if (asked.value.kind === 'absent') return { because: 'not-connected' as const };
  const { kind: _config, next, ...config } = asked.value;
  return { config, next };
};

export const registerNodeConfig = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/nodes/:id/config', {
    config: { access: 'platform' },
    schema: {
      summary: 'Compare what an Envoy is to have with what it says it has',
      description: 'Contents of resources are not in it.',
      tags: ['operations'],
      params: Type.Object({ id: NodeId }),
      querystring: Query,
      response: { 200: answerOf(AnswerSchema, NEXT), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const { nodes } = await readFleet(context);
      const node = nodes.find((each) => each.id === id);
      if (node === undefined) return sendProblem(reply, noSuchResource);
      const query = request.query as Omit<NodeConfigQuestion, 'nodeId'>;
      const asked = await askFor(context, node, { ...query, nodeId: id });
      if (asked.config === undefined) return { node, config: null, unknownBecause: asked.because };
      if (asked.next !== undefined) linkNext(reply, { items: [], next: { after: asked.next } });
      return { node, config: asked.config };
    },
  });
};
