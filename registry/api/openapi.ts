// /openapi.json: OpenAPI 3.1, made from the schemas the routes validate with.

import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { operationId } from '#registry/api/operation-id.ts';

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'MCP Security Gateway registry',
    description:
      'Tenants, the issuers they trust, their MCP servers and who may use them. Every write names its reason, is conditional on what was read, and is kept as a revision.',
    version: '1',
  },
  components: {
    securitySchemes: {
      adminToken: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'A token of the admin issuer: its `roles` hold platform-admin, or admin:{tenant}, operator:{tenant}, auditor:{tenant}, publisher:{tenant}, approver:{tenant}. Or one of the own admin issuer of a tenant, with roles for that tenant.',
      },
    },
  },
  security: [{ adminToken: [] }],
};

/** Installs the collecting of route schemas. Call it before any route is registered. */
export const installOpenApi = async (app: FastifyInstance): Promise<void> => {
  await app.register(swagger, {
    openapi: DOCUMENT,
    transform: ({ schema, url, route }) => ({
      schema: { ...schema, operationId: operationId(String(route.method), url) },
      url,
    }),
  });
};

export const registerOpenApi = (app: FastifyInstance): void => {
  app.get('/openapi.json', {
    config: { access: 'open' },
    schema: { hide: true },
    handler: async () => app.swagger(),
  });
};
