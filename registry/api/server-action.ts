// What the actions on a server have in common: they change one server, and answer with it.

import type { FastifyReply } from 'fastify';
import type { McpServer } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { isDryRun, sendDryRun } from '#registry/api/dry-run.ts';
import { judgePrecondition } from '#registry/api/precondition.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { conditionsOf, paramsOf, recordOf, sendProblem, sendResource } from '#registry/api/request-facts.ts';
import { awaitVersions } from '#registry/api/rollout/await-versions.ts';
import { makeChange } from '#registry/api/rollout/make-change.ts';
import { readServer } from '#registry/api/servers.ts';
import type { Manner } from '#registry/approval/serve.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { serverName } from '#registry/commands/resources.ts';

export type ServerAction = {
  /** For the audit, e.g. `activate`. */
  readonly action: string;
  /** False: the action may be taken without having read the server. If-Match is honoured where it is sent. */
  readonly needsMatch: boolean;
  readonly manner?: Manner;
  /** It may give calls to a version that was just published. */
  readonly servesVersions?: boolean;
  readonly command: (tenant: Tenant, serverId: string) => Outcome;
  /** What is answered of the server; absent: the server as it is read. */
  readonly view?: (server: McpServer) => object;
};

/** Runs an action on the server of the path. */
export const runServerAction = async (
  context: ApiContext,
  reply: FastifyReply,
  { action, needsMatch, manner, servesVersions = false, command, view = readServer }: ServerAction,
): Promise<FastifyReply> => {
  const { tenant: tenantId, id } = paramsOf(reply.request);
  const conditions = conditionsOf(reply.request);
  const asked: TenantChangeRequest = {
    tenantId,
    record: recordOf(context, reply.request, `${action} ${serverName(id)}`),
    isUrgent: !needsMatch,
    judge: (stored) => {
      const revision = stored?.stamps[serverName(id)];
      if (revision === undefined) return noSuchResource;
      const isFree = !needsMatch && conditions.ifMatch === undefined;
      return isFree ? undefined : judgePrecondition(conditions, revision);
    },
    ...(manner === undefined ? {} : { manner }),
    command: (tenant) => command(tenant as Tenant, id),
  };
  if (isDryRun(reply.request)) return sendDryRun(context, reply, asked);
  if (servesVersions) await awaitVersions(context, { tenantId, serverId: id });
  const result = await makeChange(context, reply.request, asked);
  if (!result.ok) return sendProblem(reply, result.error);
  const { stored } = result.value;
  const server = stored === undefined ? undefined : findServer(stored.tenant, id);
  const revision = stored?.stamps[serverName(id)];
  return server === undefined || revision === undefined
    ? sendProblem(reply, noSuchResource)
    : sendResource(reply, { status: 200, revision, body: view(server) });
};
