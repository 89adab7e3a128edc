// The write of a tenant, inside one transaction: resources, head, revision, audit record and sequence move together.

import type { Tenant } from '#core/tenant.ts';
import { type ChangedResource, changedResources } from '#registry/commands/changed-resources.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import { releaseHosts, takeHosts } from '#registry/store/host-names.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import { insertManifest, isSpent, markVersions, spendId } from '#registry/store/manifests.ts';
import { keepsNamedBundles } from '#registry/store/policy-bundles.ts';
import { bringForward, type PresentTenant, type PresentTenants } from '#registry/store/present-tenants.ts';
import { insertResources, supersedeAll } from '#registry/store/resources.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { TenantWrite } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';
import { insertDecisions, insertRegistrations, insertSubmission } from '#registry/store/write-approvals.ts';

/** Thrown to undo a write that was made from another state than the present one. Nobody outside the store sees it. */
export class StaleWrite extends Error {}

export type Written = {
  readonly revision: number;
  readonly sequence: number;
  /** Absent after a removal. */
  readonly present?: PresentTenant;
};

type Place = { readonly revision: number; readonly sequence: number };

type Parts = {
  readonly transaction: Database;
  readonly secrets: AuditSecrets;
  readonly write: TenantWrite;
  readonly place: Place;
  readonly before: PresentTenant | undefined;
};

const findLastRevision = async (transaction: Database, tenantId: string): Promise<number> => {
  const row = await transaction
    .selectFrom('tenants')
    .select('revision')
    .where('id', '=', tenantId)
    .executeTakeFirst();
  return row?.revision ?? 0;
};

const putHead = async ({ transaction, write, place }: Parts, born: number | null): Promise<void> => {
  const head = { ...place, born };
  await transaction
    .insertInto('tenants')
    .values({ id: write.tenantId, ...head })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(head))
    .execute();
};

const appendRevision = async ({ transaction, secrets, write, place }: Parts): Promise<void> => {
  const { tenantId, record, changes } = write;
  const { action, reason, at } = record;
  await transaction
    .insertInto('revisions')
    .values({
      tenant: tenantId,
      number: place.revision,
      sequence: place.sequence,
      // Who it was is sealed in the audit record of the same sequence, and nowhere else.
      actor: '',
      action,
      reason,
      at,
      changes: JSON.stringify(changes),
    })
    .execute();
  await appendAudit(transaction, secrets, { kind: 'change', sequence: place.sequence, tenantId, record });
};

const publish = async ({ transaction, write }: Parts): Promise<void> => {
  const { publication, tenantId, record } = write;
  if (publication === undefined) return;
  await spendId(transaction, publication.id, Math.floor(Date.parse(record.at) / 1_000));
  await insertManifest(transaction, tenantId, publication);
};

const keepApprovals = async ({ transaction, write, before }: Parts, tenant: Tenant): Promise<void> => {
  const { tenantId, submission, decisions, record } = write;
  await insertRegistrations(transaction, { before: before?.stored.tenant, after: tenant }, record);
  if (submission !== undefined) await insertSubmission(transaction, tenantId, submission);
  if (decisions !== undefined && !(await insertDecisions(transaction, tenantId, decisions)))
    throw new StaleWrite();
};

const remove = async (parts: Parts): Promise<Written> => {
  await supersedeAll(parts.transaction, parts.write.tenantId, parts.place.revision);
  await releaseHosts(parts.transaction, parts.write.tenantId);
  await putHead(parts, null);
  return parts.place;
};

const putResources = async (
  { transaction, write, place, before }: Parts,
  changed: readonly ChangedResource[],
): Promise<PresentTenant> => {
  const id = write.tenantId;
  const states = await insertResources(transaction, { tenant: id, ...place }, changed);
  const head = { id, ...place, born: before?.head.born ?? place.sequence };
  return bringForward(before, head, states);
};

const put = async (parts: Parts, tenant: Tenant): Promise<Written> => {
  const { transaction, write, before, place } = parts;
  const changed = changedResources(before?.stored.tenant, tenant);
  const present = await putResources(parts, changed);
  await putHead(parts, present.head.born);
  await markVersions(transaction, write.tenantId, changed);
  if (!(await takeHosts(transaction, write.tenantId, changed))) throw new StaleWrite();
  if (!(await keepsNamedBundles(transaction, write.tenantId, changed))) throw new StaleWrite();
  await publish(parts);
  await keepApprovals(parts, tenant);
  return { ...place, present };
};

/** A write must have been made from what is there, and no second one may use up its signature. */
const assertExpected = async (
  transaction: Database,
  write: TenantWrite,
  present: PresentTenant | undefined,
): Promise<void> => {
  const isExpected = present?.head.revision === write.before?.tenant.revision;
  if (!isExpected || (present === undefined && write.tenant === null)) throw new StaleWrite();
  if (write.publication !== undefined && (await isSpent(transaction, write.publication.id)))
    throw new StaleWrite();
};

/**
 * Writes a tenant, or its removal, if it still is at the revision the change was made from.
 * A tenant made again goes on counting where the removed one ended: an old ETag must not come true again.
 * @throws StaleWrite: the transaction is to be undone.
 */
export const writeTenant = async (
  transaction: Database,
  { tenants, secrets }: { readonly tenants: PresentTenants; readonly secrets: AuditSecrets },
  write: TenantWrite,
): Promise<Written> => {
  // First of all: from here on nobody else writes, and what is read is what the commit will follow.
  const sequence = await takeSequence(transaction);
  const before = await tenants.find(transaction, write.tenantId);
  await assertExpected(transaction, write, before);
  const last = before?.head.revision ?? (await findLastRevision(transaction, write.tenantId));
  const parts = { transaction, secrets, write, before, place: { revision: last + 1, sequence } };
  await settleKey(transaction, write.record.request, sequence);
  await appendRevision(parts);
  return write.tenant === null ? remove(parts) : put(parts, write.tenant);
};
