// /v1/tenants/{tenant}/grants

import type { FastifyInstance } from 'fastify';
import type { Grant } from '#core/grant.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { putGrant, removeGrant } from '#registry/commands/grant.ts';
import { grantName } from '#registry/commands/resources.ts';
import { GRANT_FIELDS, GrantSchema } from '#registry/feed/schema/grant-schema.ts';
import { Id, ShortText } from '#registry/feed/schema/words.ts';

export const registerGrants = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'grants',
    noun: 'a grant',
    readAccess: 'read',
    view: GrantSchema,
    fields: GRANT_FIELDS,
    nameOf: grantName,
    list: (tenant) => tenant.grants,
    filters: {
      serverId: { schema: Id, matches: (item, id) => (item as Grant).serverId === id },
      subject: {
        schema: ShortText,
        matches: (item, id) => (item as Grant).subjects.some((subject) => subject.id === id),
      },
    },
    put: (tenant, { id, settings }) => putGrant(tenant, { id, ...settings } as unknown as Grant),
    remove: removeGrant,
  });
