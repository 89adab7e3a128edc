// The write of a decision by itself, inside one transaction: decision, pins and audit record move together. The tenant
// stays as it is, so there is no revision.

import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import { findHead } from '#registry/store/present-tenants.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { DecisionWrite } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';
import { insertDecisions } from '#registry/store/write-approvals.ts';
import { StaleWrite } from '#registry/store/write-tenant.ts';

/**
 * Keeps a decision if the tenant and its decisions are those it was made from.
 * @throws StaleWrite: the transaction is to be undone.
 */
export const writeDecision = async (
  transaction: Database,
  secrets: AuditSecrets,
  { before, decisions, record }: DecisionWrite,
): Promise<number> => {
  const { id: tenantId, revision } = before.tenant;
  // First of all: from here on nobody else writes.
  const sequence = await takeSequence(transaction);
  const head = await findHead(transaction, tenantId);
  if (head?.revision !== revision) throw new StaleWrite();
  if (!(await insertDecisions(transaction, tenantId, decisions))) throw new StaleWrite();
  await settleKey(transaction, record.request, sequence);
  await appendAudit(transaction, secrets, { kind: 'change', sequence, tenantId, record });
  return sequence;
};
