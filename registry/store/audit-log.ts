// Reading the audit: the chain with a key and, below it, the records of databases from before there was one. Together
// they are one list: numbers of the keyed chain go on where the others end.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { unkeyedEnd } from '#registry/store/audit-append.ts';
import { openLines, pseudonymsOf } from '#registry/store/audit-subjects.ts';
import { openTargets } from '#registry/store/audit-target.ts';
import type { AuditPage, AuditRecord } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

type Query = { readonly keys: AuditKeys; readonly tenantId: string; readonly page: AuditPage };

/** The last of all characters: a prefix as a range, in which no character means anything else. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10ffff}`;

/** What a record has of its commit. */
const commitOf = (
  sequence: number | null,
  targets: ReadonlyMap<number, string>,
): Pick<AuditRecord, 'sequence' | 'target'> => {
  if (sequence === null) return {};
  const target = targets.get(Number(sequence));
  return { sequence, ...(target === undefined ? {} : { target }) };
};

const recordsFromRows = async (
  database: Database,
  keys: AuditKeys,
  { rows, base }: { readonly rows: readonly Tables['audit_records'][]; readonly base: number },
): Promise<AuditRecord[]> => {
  const opened = await openLines(
    database,
    keys,
    rows.map(({ line }) => line),
  );
  const bodies = opened.flatMap(({ record }) => (record.ok ? [record.value.body] : []));
  const targets = await openTargets(database, keys, bodies);
  return rows.map(({ number, kind, tenant, at, action, sequence }, index) => {
    const { record, actor } = opened[index] as (typeof opened)[number];
    const body = record.ok ? record.value.body : {};
    const { reason, code, status, count } = body as Partial<AuditRecord>;
    return {
      number: base + number,
      kind: kind as AuditRecord['kind'],
      tenantId: tenant,
      actor,
      action,
      reason: reason ?? '',
      at,
      ...commitOf(sequence, targets),
      ...(kind === 'refusal' && code !== undefined ? { code, status, count } : {}),
      ...(record.ok ? { mac: record.value.mac } : {}),
    } as AuditRecord;
  });
};

const listKeyed = async (database: Database, query: Query, base: number): Promise<AuditRecord[]> => {
  const { keys, tenantId, page } = query;
  const { actor, action, since, until, before = Number.MAX_SAFE_INTEGER, limit } = page;
  let select = database
    .selectFrom('audit_records')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('number', '<', before - base);
  if (actor !== undefined) select = select.where('subject', 'in', pseudonymsOf(keys, actor));
  if (since !== undefined) select = select.where('at', '>=', since);
  if (until !== undefined) select = select.where('at', '<', until);
  if (action !== undefined)
    select = select.where('action', '>=', action).where('action', '<', afterPrefix(action));
  const rows = await select.orderBy('number', 'desc').limit(limit).execute();
  return recordsFromRows(database, keys, { rows, base });
};

const listUnkeyed = async (
  database: Database,
  { tenantId, page }: Query,
  limit: number,
): Promise<AuditRecord[]> => {
  const { actor, action, since, until, before = Number.MAX_SAFE_INTEGER } = page;
  let select = database
    .selectFrom('audit')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('sequence', '<', before);
  if (actor !== undefined) select = select.where('actor', '=', actor);
  if (since !== undefined) select = select.where('at', '>=', since);
  if (until !== undefined) select = select.where('at', '<', until);
  if (action !== undefined)
    select = select.where('action', '>=', action).where('action', '<', afterPrefix(action));
  const rows = await select.orderBy('sequence', 'desc').limit(limit).execute();
  return rows.map(({ tenant, sequence, actor: by, action: what, reason, at }) => ({
    number: sequence,
    kind: 'change',
    tenantId: tenant,
    actor: by,
    action: what,
    reason,
    at,
    sequence,
  }));
};

export const listAudit = async (database: Database, query: Query): Promise<readonly AuditRecord[]> => {
  const unkeyed = await unkeyedEnd(database);
  const keyed = await listKeyed(database, query, unkeyed?.sequence ?? 0);
  const rest = query.page.limit - keyed.length;
  return unkeyed === undefined || rest === 0
    ? keyed
    : [...keyed, ...(await listUnkeyed(database, query, rest))];
};

/** Who made the commits with these sequences. */
export const actorsOf = async (
  database: Database,
  keys: AuditKeys,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, string>> => {
  if (sequences.length === 0) return new Map();
  const rows = await database
    .selectFrom('audit_records')
    .select(['sequence', 'line'])
    .where('sequence', 'in', [...sequences])
    .execute();
  const opened = await openLines(
    database,
    keys,
    rows.map(({ line }) => line),
  );
  return new Map(rows.map(({ sequence }, index) => [Number(sequence), opened[index]?.actor ?? '']));
};
