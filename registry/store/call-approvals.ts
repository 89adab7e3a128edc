// Approvals of single calls as they are read: runtime state, no configuration. Rows hold the arguments of somebody's
// call, so they are forgotten a day after their end (ask-approval.ts).

import type { ApprovalQuestion } from '#core/call-approval.ts';
import type { CallApproval, CallApprovalState, CallApprovalsPage } from '#registry/store/call-approval.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** A row as it is read. */
export type StoredRow = Omit<Tables['call_approvals'], 'number'> & { readonly number: number };

/** States of a question that the same call would hear of. */
export const LIVE_STATES = ['pending', 'granted', 'refused'] as const;

const isLive = (state: string): boolean => (LIVE_STATES as readonly string[]).includes(state);

/** `expired` is a matter of the clock; the row may not have heard of it. */
export const approvalOf = (row: StoredRow, nowMs: number): CallApproval => {
  const { number, id, digest, actor, reason, decided_at } = row;
  const expiresAtMs = Number(row.expires_at);
  return {
    number: Number(number),
    id,
    state: isLive(row.state) && expiresAtMs <= nowMs ? 'expired' : (row.state as CallApprovalState),
    digest,
    question: JSON.parse(row.question) as ApprovalQuestion,
    askedAtMs: Number(row.asked_at),
    expiresAtMs,
    ...(actor === null || decided_at === null
      ? {}
      : { decision: { actor, reason: reason ?? '', atMs: Number(decided_at) } }),
  };
};

export const findCallApproval = async (
  database: Database,
  { tenantId, id, nowMs }: { readonly tenantId: string; readonly id: string; readonly nowMs: number },
): Promise<CallApproval | undefined> => {
  const row = await database
    .selectFrom('call_approvals')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : approvalOf(row, nowMs);
};

/** Newest first. */
export const listCallApprovals = async (
  database: Database,
  tenantId: string,
  {
    page: { before, limit, state, serverId },
    nowMs,
  }: { readonly page: CallApprovalsPage; readonly nowMs: number },
): Promise<readonly CallApproval[]> => {
  let query = database.selectFrom('call_approvals').selectAll().where('tenant', '=', tenantId);
  if (before !== undefined) query = query.where('number', '<', before);
  if (serverId !== undefined) query = query.where('server', '=', serverId);
  if (state === 'expired')
    query = query.where(({ or, eb }) =>
      or([
        eb('state', '=', 'expired'),
        eb.and([eb('state', 'in', [...LIVE_STATES]), eb('expires_at', '<=', nowMs)]),
      ]),
    );
  else if (state !== undefined)
    query = query
      .where('state', '=', state)
      .where(({ or, eb }) => or([eb('state', '=', 'used'), eb('expires_at', '>', nowMs)]));
  const rows = await query.orderBy('number', 'desc').limit(limit).execute();
  return rows.map((row) => approvalOf(row, nowMs));
};
