// ?wait=applied: holds back the answer to a committed change until the Envoys have it, and says how it went. The answer
// itself is the route's; here it is only let go, put off (202) or replaced by a refusal.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '#core/gateway-error.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { PROBLEM_MEDIA_TYPE, problemDocument } from '#registry/api/problem.ts';
import type { CommittedChange } from '#registry/api/rollout/committed-change.ts';
import {
  type Compensation,
  compensateChange,
  FAILED_COMPENSATION,
} from '#registry/api/rollout/compensate-change.ts';
import { refusalsOf, rejectionProblem } from '#registry/api/rollout/rejection.ts';
import { rolloutPath } from '#registry/api/rollout/rollout.ts';
import { waitForRollout } from '#registry/api/rollout/wait-for-rollout.ts';
import { MAX_WAITING, type WaitQuery, waitMs } from '#registry/api/rollout/wait-schema.ts';
import type { Rollout } from '#registry/rollout/assess.ts';

/** The change is committed, whatever happens while it is waited for: no fault of ours may be answered instead. */
const waitQuietly = async (
  context: ApiContext,
  change: CommittedChange,
  timing: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Rollout> => {
  const { tenantId, revision } = change;
  try {
    return await waitForRollout(context, { tenantId, revision, ...timing });
  } catch (thrown) {
    const error = GatewayError.from(thrown).message;
    context.logger.error({ tenantId, revision, error }, 'rollout could not be followed');
    return { state: 'pending', consumers: [] };
  }
};

const compensateQuietly = async (
  context: ApiContext,
  request: FastifyRequest,
  blame: Parameters<typeof compensateChange>[2],
): Promise<Compensation> => {
  try {
    return await compensateChange(context, request, blame);
  } catch (thrown) {
    context.logger.error(
      { error: GatewayError.from(thrown).message },
      'a refused revision was not taken back',
    );
    return FAILED_COMPENSATION;
  }
};

const refuse = async (
  context: ApiContext,
  reply: FastifyReply,
  { change, rollout }: { readonly change: CommittedChange; readonly rollout: Rollout },
): Promise<string> => {
  const { tenantId, revision } = change;
  const refusals = refusalsOf(rollout);
  const isCertain = refusals.some(({ broughtBy }) => broughtBy === 'this-revision');
  const compensation = await compensateQuietly(context, reply.request, { change, isCertain });
  const { restored, kept } = compensation;
  context.logger.warn({ tenantId, revision, restored, kept }, 'an Envoy refused a revision');
  const path = rolloutPath(tenantId, revision);
  const problem = rejectionProblem({ rollout: path, revision, refusals, compensation });
  // The ETag would be that of what was just taken back.
  reply.removeHeader('etag');
  reply.code(problem.status).type(PROBLEM_MEDIA_TYPE);
  return JSON.stringify(problemDocument(problem));
};

const wantsToWait = (request: FastifyRequest): number | undefined =>
  waitMs((request.query ?? {}) as WaitQuery);

/** Counts who waits, tenant by tenant. Where too many of a tenant's wait, its next one may look, and does not wait. */
const createPlaces = () => {
  const waiting = new Map<string, number>();
  return async (
    tenantId: string,
    limitMs: number,
    wait: (limitMs: number) => Promise<Rollout>,
  ): Promise<Rollout> => {
    const others = waiting.get(tenantId) ?? 0;
    if (others >= MAX_WAITING) return wait(0);
    waiting.set(tenantId, others + 1);
    try {
      return await wait(limitMs);
    } finally {
      const left = (waiting.get(tenantId) ?? 1) - 1;
      if (left === 0) waiting.delete(tenantId);
      else waiting.set(tenantId, left);
    }
  };
};

/** Installs the waiting, for routes whose schema allows it (wait-schema.ts). */
export const installWait = (app: FastifyInstance, context: ApiContext): void => {
  const stopping = new AbortController();
  const inPlace = createPlaces();
  app.decorateRequest('committed', null);
  app.addHook('preClose', async () => stopping.abort());
  app.addHook('onSend', async (request, reply, payload) => {
    const change = request.committed;
    const limitMs = wantsToWait(request);
    if (change === null || limitMs === undefined || reply.statusCode >= 300) return payload;
    const { signal } = stopping;
    const rollout = await inPlace(change.tenantId, limitMs, (grantedMs) =>
      waitQuietly(context, change, { limitMs: grantedMs, signal }),
    );
    reply.header('link', `<${rolloutPath(change.tenantId, change.revision)}>; rel="status"`);
    reply.header('rollout-state', rollout.state);
    if (rollout.state === 'rejected') return refuse(context, reply, { change, rollout });
    if (rollout.state === 'pending') reply.code(202);
    return payload;
  });
};
