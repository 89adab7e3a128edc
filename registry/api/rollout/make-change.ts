// A change made on behalf of a request, noted there so that its answer can wait for the rollout.

import type { FastifyRequest } from 'fastify';
import '#registry/api/fastify-types.ts';
import type { Result } from '#core/result.ts';
import { changeTenant, type TenantChanged, type TenantChangeRequest } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import type { Problem } from '#registry/api/problem.ts';

/**
 * `changeTenant` for a request.
 * @throws GatewayError `store_failed`.
 */
export const makeChange = async (
  context: ApiContext,
  request: FastifyRequest,
  change: TenantChangeRequest,
): Promise<Result<TenantChanged, Problem>> => {
  const result = await changeTenant(context, change);
  if (result.ok) {
    const { revision, stored, before } = result.value;
    request.committed = { tenantId: change.tenantId, revision, isOwn: stored !== before };
  }
  return result;
};
