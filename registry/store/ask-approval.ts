// Asking for the approval of a call: the same call finds its own question again, a granted one is used up by being
// found, and what has ended makes room.

import { APPROVAL_WAIT_MS, type ApprovalQuestion, approvalDigest } from '#core/call-approval.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { AskedApproval, CallApproval } from '#registry/store/call-approval.ts';
import { approvalOf, LIVE_STATES, type StoredRow } from '#registry/store/call-approvals.ts';
import type { Database } from '#registry/store/tables.ts';

/** How long a question is kept after its end, milliseconds: long enough to look up what was decided in the morning. */
const KEEP_MS = 24 * 3_600_000;

/** Open questions at once. An agent in a loop must not bury those of everybody else. */
const MAX_PENDING = { caller: 20, tenant: 1_000 };

/** Lets go of what is long over, and of the places of what has just ended. */
const settleEnded = async (transaction: Database, nowMs: number): Promise<void> => {
  await transaction
    .deleteFrom('call_approvals')
    .where('expires_at', '<', nowMs - KEEP_MS)
    .execute();
  await transaction
    .updateTable('call_approvals')
    .set({ state: 'expired' })
    .where('state', 'in', [...LIVE_STATES])
    .where('expires_at', '<=', nowMs)
    .execute();
};

const findLive = (transaction: Database, tenantId: string, digest: string): Promise<StoredRow | undefined> =>
  transaction
    .selectFrom('call_approvals')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('digest', '=', digest)
    .where('state', 'in', [...LIVE_STATES])
    .executeTakeFirst();

const countPending = async (transaction: Database, tenantId: string, principal?: string): Promise<number> => {
  const all = transaction
    .selectFrom('call_approvals')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('tenant', '=', tenantId)
    .where('state', '=', 'pending');
  const { count } = await (principal === undefined
    ? all
    : all.where('principal', '=', principal)
  ).executeTakeFirstOrThrow();
  return Number(count);
};

const isFull = async (transaction: Database, { tenantId, principal }: ApprovalQuestion): Promise<boolean> =>
  (await countPending(transaction, tenantId, principal)) >= MAX_PENDING.caller ||
  (await countPending(transaction, tenantId)) >= MAX_PENDING.tenant;

/** True for the one who uses it; of two that find the same approval granted, one has it. */
const useUp = async (transaction: Database, { id }: StoredRow): Promise<boolean> => {
  const used = await transaction
    .updateTable('call_approvals')
    .set({ state: 'used' })
    .where('id', '=', id)
    .where('state', '=', 'granted')
    .executeTakeFirst();
  return used.numUpdatedRows === 1n;
};

const insertQuestion = async (
  transaction: Database,
  { question, newId, nowMs }: AskedApproval,
  digest: string,
): Promise<void> => {
  const { tenantId, serverId, principal } = question;
  await transaction
    .insertInto('call_approvals')
    .values({
      id: newId,
      tenant: tenantId,
      digest,
      server: serverId,
      principal,
      state: 'pending',
      question: JSON.stringify(question),
      asked_at: nowMs,
      expires_at: nowMs + APPROVAL_WAIT_MS,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

/** What a race left: an approval that somebody else may use is no answer to this call. */
const settledState = ({ state }: StoredRow): string => (state === 'granted' ? 'pending' : state);

/**
 * What became of a question; one that nobody has asked yet is put. A granted one is used up by this.
 * @returns the approval as it stands after, or `too-many` if the caller or the tenant has too many open.
 */
export const askApproval = async (
  transaction: Database,
  asked: AskedApproval,
): Promise<Result<CallApproval, 'too-many'>> => {
  const { question, nowMs } = asked;
  const digest = approvalDigest(question);
  await settleEnded(transaction, nowMs);
  const known = await findLive(transaction, question.tenantId, digest);
  if (known !== undefined && (known.state !== 'granted' || (await useUp(transaction, known))))
    return ok(approvalOf(known, nowMs));
  if (await isFull(transaction, question)) return err('too-many');
  await insertQuestion(transaction, asked, digest);
  const put = await findLive(transaction, question.tenantId, digest);
  // Another process was faster, and its question was decided and used in between.
  return put === undefined ? err('too-many') : ok(approvalOf({ ...put, state: settledState(put) }, nowMs));
};
