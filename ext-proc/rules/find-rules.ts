// The rules of the registry that an answer is held against: those of the version that gave it.

import { findTool } from '#core/find-tool.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { ResponseGuardInForce } from '#core/response-guard.ts';
import { findVersion, type McpServer, type ServerVersion, type Tool } from '#core/server.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer, type Tenant } from '#core/tenant.ts';

export type AnswerRules = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly version: ServerVersion;
  readonly guard: ResponseGuardInForce;
  /** The pinned tool that was called. */
  readonly tool: Tool | undefined;
};

/** @returns undefined where the snapshot has no such version: what it would be held against is not known. */
export const findRules = (
  snapshot: Snapshot,
  orders: Pick<GuardOrders, 'tenantId' | 'serverId' | 'version' | 'tool'>,
): AnswerRules | undefined => {
  const tenant = findTenant(snapshot, orders.tenantId);
  const server = tenant === undefined ? undefined : findServer(tenant, orders.serverId);
  const version = server === undefined ? undefined : findVersion(server, orders.version);
  if (tenant === undefined || server === undefined || version === undefined) return undefined;
  const tool = orders.tool === undefined ? undefined : findTool(version, orders.tool);
  return { tenant, server, version, guard: responseGuardOf(tenant, server), tool };
};
