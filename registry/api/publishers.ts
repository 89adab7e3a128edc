// /v1/tenants/{tenant}/publishers

import type { FastifyInstance } from 'fastify';
import type { Publisher } from '#core/publisher.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { putPublisher, removePublisher } from '#registry/commands/publisher.ts';
import { publisherName } from '#registry/commands/resources.ts';
import { PUBLISHER_FIELDS, PublisherSchema } from '#registry/feed/schema/publisher-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';

export const registerPublishers = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'publishers',
    noun: 'a publisher of signed manifests',
    readAccess: 'read',
    view: PublisherSchema,
    fields: PUBLISHER_FIELDS,
    nameOf: publisherName,
    list: (tenant) => tenant.publishers,
    filters: {
      serverId: { schema: Id, matches: (item, id) => (item as Publisher).servers.includes(id as string) },
    },
    put: (tenant, { id, settings }) => putPublisher(tenant, { id, ...settings } as unknown as Publisher),
    remove: removePublisher,
  });
