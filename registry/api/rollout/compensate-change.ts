// After an Envoy refused a revision: takes it back as far as that is safe, as a revision of its own, and tells what was
// taken back and what was not.

import type { FastifyRequest } from 'fastify';
import type { Tenant } from '#core/tenant.ts';
import { changeTenant } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { recordOf } from '#registry/api/request-facts.ts';
import type { CommittedChange } from '#registry/api/rollout/committed-change.ts';
import type { ResourceName } from '#registry/commands/resources.ts';
import {
  type Compensated,
  changedNames,
  compensateRevision,
  type Undone,
} from '#registry/revisions/compensate.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { StoredTenant } from '#registry/store/store.ts';

export type KeptReason =
  | 'touched-since'
  | 'protected'
  | 'not-by-this-call'
  | 'not-alone'
  | 'whole-tenant'
  | 'conflict'
  | 'failed';

export type Compensation = {
  /** The revision that took it back; null if none did. */
  readonly revision: number | null;
  readonly restored: readonly ResourceName[];
  readonly kept: readonly { readonly resource: ResourceName; readonly because: KeptReason }[];
};

const nothing = (resources: readonly ResourceName[], because: KeptReason): Compensation => ({
  revision: null,
  restored: [],
  kept: resources.map((resource) => ({ resource, because })),
});

/** Taking it back failed: the revision stands. */
export const FAILED_COMPENSATION: Compensation = nothing(['tenant'], 'failed');

/** The revision with the tenant before and after it; undefined where one of them is not there. */
const findUndone = async (context: ApiContext, change: CommittedChange): Promise<Undone | undefined> => {
  const { tenantId, revision: number } = change;
  const [before, after] = await Promise.all(
    [number - 1, number].map((each) => context.store.findRevision(tenantId, each)),
  );
  if (!before?.tenant || !after?.tenant) return undefined;
  return { number, before: before.tenant, after: after.tenant };
};

/** Without the request's Idempotency-Key: the refused revision has used it. */
const compensationRecord = (context: ApiContext, request: FastifyRequest, number: number): ChangeRecord => {
  const { actor, action, at } = recordOf(context, request, `compensate revisions/${number}`);
  return { actor, action, at, reason: `an Envoy refused revision ${number}` };
};

const commit = async (
  context: ApiContext,
  request: FastifyRequest,
  parts: { readonly tenantId: string; readonly undone: Undone },
): Promise<Compensation> => {
  const { tenantId, undone } = parts;
  let present: StoredTenant | undefined;
  let outcome: Compensated | undefined;
  const result = await changeTenant(context, {
    tenantId,
    record: compensationRecord(context, request, undone.number),
    judge: (stored) => {
      present = stored;
      return stored === undefined ? noSuchResource : undefined;
    },
    command: (tenant) => {
      const { stamps = {} } = present ?? {};
      const compensated = compensateRevision({ tenant: tenant as Tenant, stamps }, undone);
      outcome = compensated.ok ? compensated.value : undefined;
      return compensated;
    },
  });
  if (!result.ok || outcome === undefined)
    return nothing(changedNames(undone.before, undone.after), 'conflict');
  const { revision, stored, before } = result.value;
  const { restored, kept } = outcome;
  return { revision: stored === before ? null : revision, restored, kept };
};

/**
 * Takes a revision back that an Envoy refused.
 * @param blame whether the refused content was brought by this revision, or perhaps by others that came with it.
 * @throws GatewayError `store_failed`.
 */
export const compensateChange = async (
  context: ApiContext,
  request: FastifyRequest,
  blame: { readonly change: CommittedChange; readonly isCertain: boolean },
): Promise<Compensation> => {
  const { change, isCertain } = blame;
  const undone = await findUndone(context, change);
  if (undone === undefined) return nothing(['tenant'], 'whole-tenant');
  const names = changedNames(undone.before, undone.after);
  if (!change.isOwn) return nothing(names, 'not-by-this-call');
  if (!isCertain) return nothing(names, 'not-alone');
  return commit(context, request, { tenantId: change.tenantId, undone });
};
