// /v1/tenants/{tenant}/servers/{id}/state and /active-version

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ACTIVATION_REFUSED } from '#registry/api/approvals/review-schema.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { DryRunQuery, DryRunSchema } from '#registry/api/dry-run.ts';
import { actionResponses } from '#registry/api/response-schema.ts';
import { withWait } from '#registry/api/rollout/wait-schema.ts';
import { ActionHeaders, ItemParams, Reason, WriteHeaders } from '#registry/api/route-schema.ts';
import { runServerAction } from '#registry/api/server-action.ts';
import { ServerViewSchema } from '#registry/api/servers.ts';
import { setServerState } from '#registry/commands/server.ts';
import { activateVersion } from '#registry/commands/server-version.ts';
import { VersionName } from '#registry/feed/schema/words.ts';

const StateBody = Type.Object({ enabled: Type.Boolean(), reason: Reason }, { additionalProperties: false });

const ActiveVersionBody = Type.Object({ version: VersionName }, { additionalProperties: false });

const RESPONSES = actionResponses(Type.Union([ServerViewSchema, DryRunSchema]));

const registerState = (app: FastifyInstance, context: ApiContext): void => {
  app.put('/v1/tenants/:tenant/servers/:id/state', {
    config: { access: 'operate', reasonInBody: true },
    schema: withWait({
      summary: 'Throw or release the kill switch of a server',
      description:
        'Switching off needs no If-Match: in an emergency nobody should lose a race. Switching on does.',
      tags: ['servers'],
      params: ItemParams,
      headers: ActionHeaders,
      querystring: DryRunQuery,
      body: StateBody,
      response: RESPONSES,
    }),
    handler: async (request, reply) => {
      const { enabled } = request.body as { readonly enabled: boolean };
      return runServerAction(context, reply, {
        action: enabled ? 'enable' : 'disable',
        needsMatch: enabled,
        command: (tenant, id) => setServerState(tenant, { id, enabled }),
      });
    },
  });
};

const registerActiveVersion = (app: FastifyInstance, context: ApiContext): void => {
  app.put('/v1/tenants/:tenant/servers/:id/active-version', {
    config: { access: 'write' },
    schema: withWait({
      summary: 'Choose the version of a server that is served',
      description:
        'All calls go to it: a split of traffic ends. A version that differs from what was approved in more than prose is refused with 409 `approval-required` until its review is approved. Without four eyes, activating what one published oneself is an approval.',
      tags: ['servers'],
      params: ItemParams,
      headers: WriteHeaders,
      querystring: DryRunQuery,
      body: ActiveVersionBody,
      response: { ...RESPONSES, ...ACTIVATION_REFUSED },
    }),
    handler: async (request, reply) => {
      const { version } = request.body as { readonly version: string };
      return runServerAction(context, reply, {
        action: `activate ${version} of`,
        needsMatch: true,
        manner: 'activated',
        servesVersions: true,
        command: (tenant, serverId) => activateVersion(tenant, { serverId, version }, context.checkUrl),
      });
    },
  });
};

export const registerServerState = (app: FastifyInstance, context: ApiContext): void => {
  registerState(app, context);
  registerActiveVersion(app, context);
};
