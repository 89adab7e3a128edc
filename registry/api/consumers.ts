// /v1/consumers: who follows the feed, how far each is, and what its Envoys said.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';
import { ConsumerStatusSchema } from '#registry/feed/schema/status-schema.ts';

const ConsumerSchema = Type.Object({
  consumer: Type.String(),
  connected: Type.Boolean(),
  since: Type.String({ format: 'date-time', description: 'Of the connection, or of its loss.' }),
  sentSequence: Type.Integer(),
  status: Type.Union([ConsumerStatusSchema, Type.Null()]),
  reportedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
});

export const registerConsumers = (app: FastifyInstance, context: ApiContext): void => {
  app.get('/v1/consumers', {
    config: { access: 'platform' },
    schema: {
      summary: 'List the consumers of the feed and what they last reported',
      tags: ['operations'],
      response: {
        200: Type.Object({
          sequence: Type.Integer({ description: 'Of the last commit.' }),
          items: Type.Array(ConsumerSchema),
        }),
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async () => ({
      sequence: await context.store.lastSequence(),
      items: await context.consumers(),
    }),
  });
};
