// /v1/tenants/{tenant}/grants

import type { FastifyInstance } from 'fastify';
import type { Grant } from '#core/grant.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { putGrant, removeGrant } from '#registry/commands/grant.ts';
import { grantName } from '#registry/commands/resources.ts';
import { GRANT_FIELDS, GrantSchema } from '#registry/feed/schema/grant-schema.ts';

export const registerGrants = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'grants',
    noun: 'a grant',
    readAccess: 'read',
    view: GrantSchema,
    fields: GRANT_FIELDS,
    nameOf: grantName,
    list: (tenant) => tenant.grants,
    put: (tenant, { id, settings }) => putGrant(tenant, { id, ...settings } as unknown as Grant),
    remove: removeGrant,
  });
