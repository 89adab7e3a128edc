// The audit table: one record a commit, appended inside its transaction, each chained to the one before.

import { auditDigest, CHAIN_START, findBrokenLink } from '#registry/store/audit-chain.ts';
import type { AuditPage, AuditRecord, ChangeRecord } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** Records read at once while the chain is checked. */
const CHECK_PAGE = 1_000;

const recordFromRow = ({ tenant, ...row }: Tables['audit']): AuditRecord => ({ ...row, tenantId: tenant });

/** Appends the record of the commit that holds `sequence`; nobody else can be appending meanwhile. */
export const appendAudit = async (
  database: Database,
  entry: { readonly sequence: number; readonly tenantId: string; readonly record: ChangeRecord },
): Promise<void> => {
  const { sequence, tenantId, record } = entry;
  const { actor, action, reason, at } = record;
  const last = await database
    .selectFrom('audit')
    .select('digest')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const previous = last?.digest ?? CHAIN_START;
  const digest = auditDigest({ actor, action, reason, at, sequence, tenantId, previous });
  await database
    .insertInto('audit')
    .values({ sequence, tenant: tenantId, actor, action, reason, at, previous, digest })
    .execute();
};

export const listAudit = async (
  database: Database,
  tenantId: string,
  page: AuditPage,
): Promise<readonly AuditRecord[]> => {
  const { actor, action, since, until } = page;
  let query = database
    .selectFrom('audit')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('sequence', '<', page.before ?? Number.MAX_SAFE_INTEGER);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<', until);
  // The last of all characters: a prefix as a range, in which no character means anything else.
  if (action !== undefined)
    query = query.where('action', '>=', action).where('action', '<', `${action}\u{10ffff}`);
  const rows = await query.orderBy('sequence', 'desc').limit(page.limit).execute();
  return rows.map(recordFromRow);
};

/** Sequence of the first record that does not follow from the one before it. */
export const findAuditFault = async (database: Database): Promise<number | undefined> => {
  let previous = CHAIN_START;
  for (let from = 0; ; ) {
    const rows = await database
      .selectFrom('audit')
      .selectAll()
      .where('sequence', '>', from)
      .orderBy('sequence')
      .limit(CHECK_PAGE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const fault = findBrokenLink(rows.map(recordFromRow), previous);
    if (fault !== undefined) return fault;
    previous = last.digest;
    from = last.sequence;
  }
};
