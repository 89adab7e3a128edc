// /v1/tenants/{tenant}/servers

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { McpServer } from '#core/server.ts';
import { registerCollection } from '#registry/api/collection.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { serverName, serverView } from '#registry/commands/resources.ts';
import { putServer, removeServer, type ServerSettings } from '#registry/commands/server.ts';
import { SERVER_FIELDS } from '#registry/feed/schema/server-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';

/** A server as it is read. `enabled`, `activeVersion`, `traffic` and `versions` have routes of their own. */
export const ServerViewSchema = Type.Object({
  id: Id,
  ...SERVER_FIELDS,
  enabled: Type.Boolean({ description: 'False: the kill switch is thrown.' }),
  activeVersion: Type.String({ description: 'The version being served; empty before the first activation.' }),
  versions: Type.Array(Type.String()),
});

/** Publishers read servers; who tests which version is not theirs to know, and has a route of its own. */
export const readServer = (server: McpServer): object => {
  const { traffic: _traffic, ...view } = serverView(server);
  return view;
};

export const registerServers = (app: FastifyInstance, context: ApiContext): void =>
  registerCollection(app, context, {
    path: 'servers',
    noun: 'an MCP server',
    readAccess: 'read-servers',
    view: ServerViewSchema,
    fields: SERVER_FIELDS,
    nameOf: serverName,
    list: (tenant) => tenant.servers.map(readServer) as readonly McpServer[],
    filters: {
      enabled: {
        schema: Type.Enum(['true', 'false']),
        matches: (item, text) => String((item as McpServer).enabled) === text,
      },
    },
    put: (tenant, { id, settings }) =>
      putServer(tenant, { id, settings: settings as unknown as ServerSettings }),
    remove: removeServer,
  });
