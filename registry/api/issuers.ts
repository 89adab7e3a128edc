// /v1/tenants/{tenant}/issuers

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { TrustedIssuer } from '#core/issuer.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { expandPreset } from '#registry/commands/expand-preset.ts';
import { putIssuer, removeIssuer } from '#registry/commands/issuer.ts';
import { ISSUER_PRESETS } from '#registry/commands/issuer-presets.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { ISSUER_FIELDS, IssuerSchema } from '#registry/feed/schema/issuer-schema.ts';

const Preset = Type.Enum(Object.keys(ISSUER_PRESETS), {
  description: 'A provider whose fields are filled in; what the request says itself goes before them.',
});

const Parameters = Type.Record(Type.String(), Type.String(), {
  maxProperties: 8,
  description: Object.entries(ISSUER_PRESETS)
    .map(([name, { parameters }]) => `${name}: ${Object.keys(parameters).join(', ')}`)
    .join('; '),
});

export const registerIssuers = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'issuers',
    noun: 'a trusted issuer',
    readAccess: 'read',
    view: IssuerSchema,
    fields: ISSUER_FIELDS,
    nameOf: issuerName,
    list: (tenant) => tenant.issuers,
    shorthand: {
      fields: { preset: Type.Optional(Preset), parameters: Type.Optional(Parameters) },
      saves: ['kind', 'issuer'],
      expand: expandPreset,
    },
    filters: {},
    put: (tenant, { id, settings }) =>
      putIssuer(tenant, { id, ...settings } as unknown as TrustedIssuer, context.checkUrl),
    remove: removeIssuer,
  });
