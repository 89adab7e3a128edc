// /v1/tenants/{tenant}/issuers

import type { FastifyInstance } from 'fastify';
import type { TrustedIssuer } from '#core/issuer.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { putIssuer, removeIssuer } from '#registry/commands/issuer.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { ISSUER_FIELDS, IssuerSchema } from '#registry/feed/schema/issuer-schema.ts';

export const registerIssuers = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'issuers',
    noun: 'a trusted issuer',
    readAccess: 'read',
    view: IssuerSchema,
    fields: ISSUER_FIELDS,
    nameOf: issuerName,
    list: (tenant) => tenant.issuers,
    filters: {},
    put: (tenant, { id, settings }) =>
      putIssuer(tenant, { id, ...settings } as unknown as TrustedIssuer, context.checkUrl),
    remove: removeIssuer,
  });
