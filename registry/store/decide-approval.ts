// The decision about one call, committed with its audit record. It is no revision: nothing is configured by it.

import { APPROVAL_USE_MS } from '#core/call-approval.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { CallVerdict } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

/** Decides a pending question, with its audit record. `not-pending`: it is decided, used or over, or is none. */
export const decideApproval = async (
  transaction: Database,
  secrets: AuditSecrets,
  { tenantId, id, verdict, record, nowMs }: CallVerdict,
): Promise<Result<number, 'not-pending'>> => {
  const decided = await transaction
    .updateTable('call_approvals')
    .set({
      state: verdict,
      actor: record.actor,
      reason: record.reason,
      decided_at: nowMs,
      ...(verdict === 'granted' ? { expires_at: nowMs + APPROVAL_USE_MS } : {}),
    })
    .where('tenant', '=', tenantId)
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (decided.numUpdatedRows !== 1n) return err('not-pending');
  const sequence = await takeSequence(transaction);
  await settleKey(transaction, record.request, sequence);
  await appendAudit(transaction, secrets, { kind: 'change', sequence, tenantId, record });
  return ok(sequence);
};
