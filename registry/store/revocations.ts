// Table of marks that end what callers held: one a target, which only ever moves forward. They configure nothing, so they
// make no revision; each is in the audit, with whom it is about sealed under a key of his own.

import { err, ok, type Result } from '#core/result.ts';
import { type Revocation, type RevocationSource, targetKey } from '#core/revocation.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import { sealTarget } from '#registry/store/audit-target.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import type { RecordedRevocation, RevocationWrite, StoredRevocation } from '#registry/store/revocation.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { Page } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** Marks of one tenant at once: a directory of that many people in one week. Every service holds them in memory. */
const MAX_REVOCATIONS = 100_000;

const storedFromRow = (row: Tables['revocations']): StoredRevocation => {
  const { sequence, id, tenant: tenantId, target, not_before, until, source, reason, actor, at } = row;
  return {
    id,
    tenantId,
    target: JSON.parse(target) as Revocation['target'],
    notBefore: Number(not_before),
    source: source as RevocationSource,
    reason,
    ...(actor === null ? {} : { actor }),
    at,
    until: Number(until),
    sequence: Number(sequence),
  };
};

/** A mark as the feed carries it. */
export const revocationFromRow = (row: Tables['revocations']): Revocation => {
  const { sequence: _sequence, ...revocation } = storedFromRow(row);
  return revocation;
};

const rowOf = (revocation: Revocation, sequence: number): Tables['revocations'] => ({
  sequence,
  id: revocation.id,
  tenant: revocation.tenantId,
  target_key: targetKey(revocation.target),
  target: JSON.stringify(revocation.target),
  not_before: revocation.notBefore,
  until: revocation.until,
  source: revocation.source,
  reason: revocation.reason,
  actor: revocation.actor ?? null,
  at: revocation.at,
});

const findOfTarget = async (
  database: Database,
  { tenantId, target }: Revocation,
): Promise<StoredRevocation | undefined> => {
  const row = await database
    .selectFrom('revocations')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('target_key', '=', targetKey(target))
    .executeTakeFirst();
  return row === undefined ? undefined : storedFromRow(row);
};

const isFull = async (database: Database, tenantId: string): Promise<boolean> => {
  const { total } = await database
    .selectFrom('revocations')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('tenant', '=', tenantId)
    .executeTakeFirstOrThrow();
  return Number(total) >= MAX_REVOCATIONS;
};

const put = async (
  transaction: Database,
  secrets: AuditSecrets,
  { revocation, record }: RevocationWrite,
  sequence: number,
): Promise<RecordedRevocation> => {
  const row = rowOf(revocation, sequence);
  const { tenant: _tenant, target_key: _key, id: _id, ...moved } = row;
  await transaction
    .insertInto('revocations')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'target_key']).doUpdateSet(moved))
    .execute();
  const { tenantId, notBefore, source } = revocation;
  const target = await sealTarget(transaction, secrets.keys, { text: row.target_key, sequence });
  await settleKey(transaction, record.request, sequence);
  await appendAudit(transaction, secrets, {
    kind: 'event',
    sequence,
    tenantId,
    record,
    facts: { revocation: revocation.id, notBefore, source, target },
  });
  return { stored: { ...revocation, sequence }, changed: true };
};

/**
 * Makes the mark, or moves the one of its target forward; one that says as much already is left as it is. `full`: the
 * tenant has as many as it may.
 */
export const recordRevocation = async (
  transaction: Database,
  secrets: AuditSecrets,
  write: RevocationWrite,
): Promise<Result<RecordedRevocation, 'full'>> => {
  const { revocation, nowSeconds } = write;
  const covering = async () => {
    const known = await findOfTarget(transaction, revocation);
    return { known, covers: known !== undefined && known.notBefore >= revocation.notBefore };
  };
  const before = await covering();
  if (before.known !== undefined && before.covers) return ok({ stored: before.known, changed: false });
  // From here on nobody else writes; whoever did in between may have said the same.
  const sequence = await takeSequence(transaction);
  await transaction.deleteFrom('revocations').where('until', '<=', nowSeconds).execute();
  const { known, covers } = await covering();
  if (known !== undefined && covers) return ok({ stored: known, changed: false });
  if (known === undefined && (await isFull(transaction, revocation.tenantId))) return err('full');
  const id = known?.id ?? revocation.id;
  return ok(await put(transaction, secrets, { ...write, revocation: { ...revocation, id } }, sequence));
};

export const findRevocation = async (
  database: Database,
  tenantId: string,
  id: string,
): Promise<StoredRevocation | undefined> => {
  const row = await database
    .selectFrom('revocations')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : storedFromRow(row);
};

/** Newest first. */
export const listRevocations = async (
  database: Database,
  tenantId: string,
  { before, limit }: Page,
): Promise<readonly StoredRevocation[]> => {
  const all = database.selectFrom('revocations').selectAll().where('tenant', '=', tenantId);
  const wanted = before === undefined ? all : all.where('sequence', '<', before);
  const rows = await wanted.orderBy('sequence', 'desc').limit(limit).execute();
  return rows.map(storedFromRow);
};
