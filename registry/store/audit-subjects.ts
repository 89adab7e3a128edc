// The keys of the people and programs in the registry's audit, one row each, wrapped. A row that is deleted is an
// erasure; what comes after it about the same subject gets a new key.

import { type KeyObject, randomBytes } from 'node:crypto';
import { type AuditKeys, pseudonymOf } from '#core/audit/audit-key.ts';
import { type AuditRecord, type RecordFault, readRecord } from '#core/audit/record.ts';
import { openRecord, type Subject } from '#core/audit/subject.ts';
import { SUBJECT_KEY_BYTES, unwrapSubjectKey, wrapSubjectKey } from '#core/audit/subject-key.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import type { Database } from '#registry/store/tables.ts';

/** What stands in the place of an actor whose key is gone. */
export const ERASED = 'erased';

/** The names a principal has under each of the keys. */
export const pseudonymsOf = (keys: AuditKeys, principal: string): string[] =>
  keys.all.map((key) => pseudonymOf(key, principal));

/** The subject's name and key; the key is made if there is none. */
export const subjectOf = async (
  transaction: Database,
  keys: AuditKeys,
  principal: string,
): Promise<Subject> => {
  const pseudonym = pseudonymOf(keys.current, principal);
  const random = { nonce: randomBytes(NONCE_BYTES), secret: randomBytes(SUBJECT_KEY_BYTES) };
  await transaction
    .insertInto('audit_subjects')
    .values({ pseudonym, ...wrapSubjectKey(keys.current, pseudonym, random) })
    .onConflict((conflict) => conflict.column('pseudonym').doNothing())
    .execute();
  const row = await transaction
    .selectFrom('audit_subjects')
    .selectAll()
    .where('pseudonym', '=', pseudonym)
    .executeTakeFirstOrThrow();
  const key = unwrapSubjectKey(keys, pseudonym, row);
  if (key === undefined) throw new GatewayError('store_failed', 'the key of an audit subject cannot be read');
  return { pseudonym, key };
};

export type OpenedLine = {
  readonly record: Result<AuditRecord, RecordFault>;
  /** Who it was; empty where nobody was established. */
  readonly actor: string;
};

/** The keys of these pseudonyms; one that was erased has none. */
export const heldKeys = async (
  database: Database,
  keys: AuditKeys,
  pseudonyms: readonly string[],
): Promise<ReadonlyMap<string, KeyObject | undefined>> => {
  const wanted = [...new Set(pseudonyms)];
  const rows =
    wanted.length === 0
      ? []
      : await database.selectFrom('audit_subjects').selectAll().where('pseudonym', 'in', wanted).execute();
  return new Map(rows.map((row) => [row.pseudonym, unwrapSubjectKey(keys, row.pseudonym, row)]));
};

/** Reads stored lines and opens whom they are about. */
export const openLines = async (
  database: Database,
  keys: AuditKeys,
  lines: readonly string[],
): Promise<readonly OpenedLine[]> => {
  const records = lines.map((line) => readRecord(keys, line));
  const subjects = records.flatMap((read) => (read.ok ? (read.value.subject ?? []) : []));
  const held = await heldKeys(database, keys, subjects);
  const actorOf = (record: Result<AuditRecord, RecordFault>): string => {
    if (!record.ok || record.value.subject === undefined) return '';
    return String(openRecord(record.value, held.get(record.value.subject))?.['principal'] ?? ERASED);
  };
  return records.map((record) => ({ record, actor: actorOf(record) }));
};

/** Deletes the subject's keys. Returns how many there were. */
export const eraseSubjectRows = async (
  database: Database,
  keys: AuditKeys,
  principal: string,
): Promise<number> => {
  const { numDeletedRows } = await database
    .deleteFrom('audit_subjects')
    .where('pseudonym', 'in', pseudonymsOf(keys, principal))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
};
