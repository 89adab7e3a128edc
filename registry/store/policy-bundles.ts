// Table of uploaded policy bundles. Their bytes are no part of a tenant: tenants travel to every service at every change.

import { err, ok, type Result } from '#core/result.ts';
import { bundleDigests, newBundleDigests, type TenantPolicy } from '#core/tenant-policy.ts';
import type { ChangedResource } from '#registry/commands/changed-resources.ts';
import { POLICY_NAME } from '#registry/commands/resources.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import type { PolicyBundleSummary, StoredPolicyBundle } from '#registry/store/policy-bundle.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { NotRemoved, Page, PolicyBundleRemoval, PolicyBundleWrite } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

/** Bundles one tenant may have: a release a day for a year. What is not needed any more is removed by its admin. */
export const MAX_POLICY_BUNDLES = 400;

const SUMMARY = ['number', 'digest', 'revision', 'size', 'signer', 'kid', 'at'] as const;

type SummaryRow = {
  readonly number: number;
  readonly digest: string;
  readonly revision: string;
  readonly size: number;
  readonly signer: string | null;
  readonly kid: string | null;
  readonly at: string;
};

const summaryFromRow = ({
  signer,
  kid,
  number,
  digest,
  revision,
  size,
  at,
}: SummaryRow): PolicyBundleSummary => ({
  number,
  digest,
  revision,
  size,
  at,
  ...(signer === null || kid === null ? {} : { signedBy: signer, kid }),
});

const putRecord = async (
  transaction: Database,
  secrets: AuditSecrets,
  {
    tenantId,
    record,
    sequence,
  }: { readonly tenantId: string; readonly record: ChangeRecord; readonly sequence: number },
): Promise<void> => {
  await settleKey(transaction, record.request, sequence);
  await appendAudit(transaction, secrets, { kind: 'change', sequence, tenantId, record });
};

const count = async (database: Database, tenantId: string): Promise<number> => {
  const { total } = await database
    .selectFrom('policy_bundles')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('tenant', '=', tenantId)
    .executeTakeFirstOrThrow();
  return Number(total);
};

export const findPolicyBundle = async (
  database: Database,
  tenantId: string,
  digest: string,
): Promise<StoredPolicyBundle | undefined> => {
  const row = await database
    .selectFrom('policy_bundles')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...summaryFromRow(row), bytes: row.bytes };
};

export const listPolicyBundles = async (
  database: Database,
  tenantId: string,
  page: Page,
): Promise<readonly PolicyBundleSummary[]> => {
  const rows = await database
    .selectFrom('policy_bundles')
    .select(SUMMARY)
    .where('tenant', '=', tenantId)
    .where('number', '<', page.before ?? Number.MAX_SAFE_INTEGER)
    .orderBy('number', 'desc')
    .limit(page.limit)
    .execute();
  return rows.map(summaryFromRow);
};

/** Keeps a bundle, and that it was uploaded. `full` writes nothing. */
export const writePolicyBundle = async (
  transaction: Database,
  secrets: AuditSecrets,
  write: PolicyBundleWrite,
): Promise<Result<number, 'full'>> => {
  const { tenantId, bundle } = write;
  if ((await count(transaction, tenantId)) >= MAX_POLICY_BUNDLES) return err('full');
  // From here on nobody else writes.
  const sequence = await takeSequence(transaction);
  await putRecord(transaction, secrets, { ...write, sequence });
  const { digest, revision, size, signedBy = null, kid = null, at, bytes } = bundle;
  await transaction
    .insertInto('policy_bundles')
    .values({ tenant: tenantId, digest, revision, size, signer: signedBy, kid, at, bytes })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return ok(sequence);
};

const findKept = async (
  database: Database,
  tenantId: string,
  digests: readonly string[],
): Promise<readonly string[]> => {
  if (digests.length === 0) return [];
  const rows = await database
    .selectFrom('policy_bundles')
    .select('digest')
    .where('tenant', '=', tenantId)
    .where('digest', 'in', digests)
    .execute();
  return rows.map(({ digest }) => digest);
};

/** Whether every bundle is there that a change makes the policy name. By one that is not, nobody could be judged. */
export const keepsNamedBundles = async (
  transaction: Database,
  tenantId: string,
  changed: readonly ChangedResource[],
): Promise<boolean> => {
  const policy = changed.find(({ name }) => name === POLICY_NAME);
  const [before, after] = [policy?.before, policy?.after] as (TenantPolicy | undefined)[];
  const digests = newBundleDigests(before, after);
  const kept = await findKept(transaction, tenantId, digests);
  return digests.every((digest) => kept.includes(digest));
};

const isNamed = async (transaction: Database, tenantId: string, digest: string): Promise<boolean> => {
  const row = await transaction
    .selectFrom('resources')
    .select('body')
    .where('tenant', '=', tenantId)
    .where('name', '=', POLICY_NAME)
    .where('until', 'is', null)
    .executeTakeFirst();
  const policy = JSON.parse(row?.body ?? 'null') as TenantPolicy | null;
  return bundleDigests(policy ?? undefined).includes(digest);
};

/** Removes a bundle, and keeps that it was removed. */
export const deletePolicyBundle = async (
  transaction: Database,
  secrets: AuditSecrets,
  write: PolicyBundleRemoval,
): Promise<Result<number, NotRemoved>> => {
  const { tenantId, digest } = write;
  if ((await findKept(transaction, tenantId, [digest])).length === 0) return err('unknown');
  // From here on nobody else writes.
  const sequence = await takeSequence(transaction);
  if (await isNamed(transaction, tenantId, digest)) return err('in-service');
  await putRecord(transaction, secrets, { ...write, sequence });
  await transaction
    .deleteFrom('policy_bundles')
    .where('tenant', '=', tenantId)
    .where('digest', '=', digest)
    .execute();
  return ok(sequence);
};
